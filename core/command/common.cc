#include <sys/stat.h>

#include <cstdio>

#include "command/command.h"
#include "site/toml.h"

namespace footfall {

std::optional<Config> load(const Common& common) {
  struct stat file;
  const std::string default_path(kDefaultConfigPath);
  const bool by_default = common.config_path.empty();
  Config config;
  if (!by_default || (common.store_path.empty() && stat(default_path.c_str(), &file) == 0)) {
    const std::string path = by_default ? default_path : common.config_path;
    Result<Config> loaded = load_config(path);
    if (!loaded) {
      const bool missing = loaded.error().code == Error::Code::not_found;
      std::fprintf(stderr, "%s%s\n", missing ? "footfall: no configuration at " : "", loaded.error().text.c_str());
      return std::nullopt;
    }
    config = std::move(*loaded);
  }
  if (!common.store_path.empty()) config.store = common.store_path;
  return config;
}

int config_test(const Common& common) {
  Common tested = common;
  if (tested.config_path.empty()) tested.config_path = kDefaultConfigPath;
  const std::optional<Config> config = load(tested);
  if (!config) return kExitFailed;
  std::printf("%s: well formed; %zu site%s, store %s\n", tested.config_path.c_str(), config->sites.size(),
              config->sites.size() == 1 ? "" : "s", config->store.c_str());
  return kExitWell;
}

}  // namespace footfall
