#include <CLI/CLI.hpp>

#include "command/command.h"

int main(int argc, char** argv) {
  using namespace footfall;
  CLI::App app{"footfall: how customers found the shop, what they looked at and what they bought, from nginx itself"};
  app.set_version_flag("--version", FOOTFALL_VERSION);
  app.require_subcommand(1);
  int code = kExitWell;
  Common common;
  const auto add_common = [&](CLI::App* command) {
    command->add_option("--config", common.config_path, "footfall.toml (default /etc/footfall/footfall.toml)");
    command->add_option("--store", common.store_path, "the store's folder; alone suffices");
  };

  CLI::App* aggregate_command = app.add_subcommand("aggregate", "count what the workers captured, as a daemon");
  bool once = false;
  std::string begin_anew;
  add_common(aggregate_command);
  aggregate_command->add_flag("--once", once, "count what is there and exit");
  aggregate_command->add_option("--begin-anew", begin_anew, "set a site's figures aside as SITE.N and begin anew");
  aggregate_command->callback([&] { code = aggregate(common, once, begin_anew); });

  CLI::App* query_command = app.add_subcommand("query", "ask as the query API is asked: --by channel --range today …");
  std::string format = "table";
  add_common(query_command);
  query_command->footer("The first word names the report, query (default) or health. Parameters are those of the API: --NAME VALUE.");
  query_command->add_option("--format", format, "table (default) or json")->check(CLI::IsMember({"table", "json"}));
  query_command->allow_extras();
  // The report is no option of CLI11's: it would take the first parameter's value for it.
  query_command->callback([&] {
    std::vector<std::string> rest = query_command->remaining();
    std::string report = "query";
    if (!rest.empty() && !rest.front().starts_with('-')) {
      report = rest.front();
      rest.erase(rest.begin());
    }
    code = query(common, report, rest, format);
  });

  CLI::App* config_command = app.add_subcommand("config", "the configuration");
  config_command->require_subcommand(1);
  CLI::App* test_command = config_command->add_subcommand("test", "check footfall.toml");
  add_common(test_command);
  test_command->callback([&] { code = config_test(common); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitWell : kExitUsage;
  }
  return code;
}
