#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "command/command.h"
#include "site/toml.h"

namespace footfall {
namespace {

// Files that root makes would keep nginx's workers out: root becomes the store's owner.
Status become_owner(const Store& store) {
  if (geteuid() != 0) return {};
  const Result<StoreOwner> owner = store.owner();
  if (!owner) return owner.error();
  if (owner->user == 0) return {};
  if (setgroups(0, nullptr) != 0 || setgid(owner->group) != 0 || setuid(owner->user) != 0)
    return Error::io("become the store's owner, user " + std::to_string(owner->user), errno);
  return {};
}

}  // namespace

Result<Store> open_store(const Config& config) {
  Result<Store> store = Store::create(config.store, std::nullopt);
  if (!store) return store.error();
  if (Status status = become_owner(*store); !status) return status.error();
  umask(0007);
  return store;
}

Result<Store> open_existing_store(const Config& config) {
  Result<Store> store = Store::open(config.store);
  if (!store && store.error().code == Error::Code::not_found) return Error::not_found("there is no store at " + config.store);
  if (!store) return store.error();
  if (Status status = become_owner(*store); !status) return status.error();
  return store;
}

bool has_config_file(const Common& common) {
  struct stat file;
  const std::string default_path(kDefaultConfigPath);
  return !common.config_path.empty() || (common.store_path.empty() && stat(default_path.c_str(), &file) == 0);
}

Result<Config> read_config(const Common& common) {
  const bool by_default = common.config_path.empty();
  Config config;
  if (has_config_file(common)) {
    const std::string path = by_default ? std::string(kDefaultConfigPath) : common.config_path;
    Result<Config> loaded = load_config(path);
    if (!loaded) {
      if (loaded.error().code != Error::Code::not_found) return loaded.error();
      return Error::not_found("no configuration at " + loaded.error().text);
    }
    config = std::move(*loaded);
  }
  if (!common.store_path.empty()) config.store = common.store_path;
  return config;
}

std::optional<Config> load(const Common& common) {
  Result<Config> config = read_config(common);
  if (config) return std::move(*config);
  const bool missing = config.error().code == Error::Code::not_found;
  std::fprintf(stderr, "%s%s\n", missing ? "footfall: " : "", config.error().text.c_str());
  return std::nullopt;
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
