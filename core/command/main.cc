#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

#include "command/command.h"
#include "site/checks.h"

namespace {

// What stands where a command's name would, and is none; nullptr: nothing of the kind.
const char* find_unknown_command(const CLI::App& app, int argc, char** argv, std::string& allowed) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty()) return nullptr;
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* one) { return one->get_name() == argv[i]; });
    if (found != commands.end()) {
      at = *found;
      continue;
    }
    for (const CLI::App* command : commands) allowed += (allowed.empty() ? "" : ", ") + command->get_name();
    return argv[i];
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace footfall;
  CLI::App app{"footfall: how customers found the shop, what they looked at and what they bought, from nginx itself"};
  app.set_version_flag("--version", FOOTFALL_VERSION);
  app.require_subcommand(1);
  int code = kExitWell;
  Common common;
  const auto is_site = [](const std::string& text) {
    return is_site_name(text) ? std::string() : "a site's name has letters, digits and . _ - : * alone";
  };
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
  query_command->footer("The first word names the report, query (default), attribution, roi, cohorts, spend, ledger or health. Parameters are those of the API: --NAME VALUE. "
                        "Credit goes by --model last_non_direct (default), last, first, linear, position, time_decay, markov or shapley, and by --lookback 1d, 7d, 30d or 90d.");
  query_command->add_option("--format", format, "table (default), json, csv or pb")
      ->check(CLI::IsMember({"table", "json", "csv", "pb"}));
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

  CLI::App* import_command = app.add_subcommand("import", "take in what was before: access logs, events, tables of orders and of spend");
  bool list_imports = false;
  uint32_t undo_import = 0;
  add_common(import_command);
  import_command->add_flag("--list", list_imports, "show the imports there were");
  import_command->add_option("--undo", undo_import, "take back all that import N brought; for 30 days")
      ->check([](const std::string& text) {
        const bool is_number = text.find_first_not_of("0123456789") == std::string::npos && text.size() <= 9 && text.find_first_not_of('0') != std::string::npos;
        return is_number ? std::string() : "\"" + text + "\" is no import's number; `footfall import --list` shows them";
      })
      ->type_name("N");
  import_command->require_subcommand(0, 1);
  import_command->callback([&] {
    if (list_imports) {
      code = import_list(common);
    } else if (undo_import != 0) {
      code = import_undo(common, undo_import);
    } else if (import_command->get_subcommands().empty()) {
      throw CLI::RequiredError("log FILE…, events FILE…, orders FILE.csv…, refunds FILE.csv…, rates FILE.csv…, spend FILE.csv…, --list or --undo N");
    }
  });
  CLI::App* log_command = import_command->add_subcommand("log", "access logs, plain, .gz or .zst; - is standard input");
  ImportLogArguments log_arguments;
  add_common(log_command);
  log_command->add_option("files", log_arguments.files, "files, merged by time")->required();
  log_command->add_option("--site", log_arguments.site, "the site of all lines")->check(is_site);
  log_command->add_option("--format", log_arguments.format,
                          "combined, common, vhost, json, footfall or an nginx log_format string; default: told from the file");
  log_command->add_option("--visitors", log_arguments.visitors, "day (default): nobody is recognised tomorrow; all")
      ->check(CLI::IsMember({"day", "all"}));
  log_command->add_flag("--overlap", log_arguments.overlap, "also lines at or after the site's first live hit");
  log_command->callback([&] { code = import_log(common, log_arguments); });

  CLI::App* events_command =
      import_command->add_subcommand("events", "events and orders that the shop's own systems tell, one JSON object a line");
  ImportLogArguments events_arguments;
  events_arguments.events = true;
  add_common(events_command);
  events_command->add_option("files", events_arguments.files, "files, merged by time; plain, .gz or .zst; - is standard input")
      ->required();
  events_command->add_option("--site", events_arguments.site, "the site of all events")->check(is_site);
  events_command->callback([&] { code = import_log(common, events_arguments); });

  ImportLogArguments table_arguments;
  table_arguments.events = true;
  const auto add_table = [&](const char* name, TableKind kind, const char* about) {
    CLI::App* command = import_command->add_subcommand(name, about);
    add_common(command);
    command->add_option("files", table_arguments.files, "tables with a header; plain, .gz or .zst; - is standard input")->required();
    command->add_option("--site", table_arguments.site, "the site of rows that name none")->check(is_site);
    command->callback([&, kind] {
      table_arguments.table = kind;
      code = import_log(common, table_arguments);
    });
  };
  add_table("orders", TableKind::orders, "orders from a CSV: id,date,value; currency,items,coupon,customer,visitor,status,site as may be");
  ImportLogArguments spend_arguments;
  spend_arguments.spend = true;
  CLI::App* spend_command = import_command->add_subcommand(
      "spend", "what marketing cost, from a CSV: date (or 2026-10-01/2026-10-31),cost; channel,source,medium,campaign,content,term or code; currency,clicks,impressions,site as may be");
  add_common(spend_command);
  spend_command->add_option("files", spend_arguments.files, "tables with a header, GA4's, Yandex's and PostHog's too; plain, .gz or .zst; - is standard input")->required();
  spend_command->add_option("--site", spend_arguments.site, "the site of rows that name none")->check(is_site);
  spend_command->callback([&] { code = import_log(common, spend_arguments); });
  add_table("refunds", TableKind::refunds, "refunds from a CSV: id,date; value (else all that is left),currency,items,site as may be");
  add_table("rates", TableKind::rates, "what currencies were worth, from a CSV: date,currency,rate (into the site's currency)");

  CLI::App* forget_command = app.add_subcommand("forget", "erase what is kept of one visitor or customer; figures stay");
  std::string forgotten_visitor, forgotten_customer;
  add_common(forget_command);
  const auto is_id = [](const std::string& id) { return id.empty() ? std::string("an id is not empty") : std::string(); };
  CLI::Option* visitor_option =
      forget_command->add_option("--visitor", forgotten_visitor, "the id that the shop gave out (footfall_visitor)")
          ->check(is_id)
          ->type_name("ID");
  CLI::Option* customer_option = forget_command->add_option("--customer", forgotten_customer, "the customer that orders were told with")
                                     ->check(is_id)
                                     ->type_name("ID")
                                     ->excludes(visitor_option);
  forget_command->callback([&] {
    if (visitor_option->count() + customer_option->count() == 0) throw CLI::RequiredError("--visitor ID or --customer ID");
    code = customer_option->count() > 0 ? forget(common, forgotten_customer, true) : forget(common, forgotten_visitor, false);
  });

  CLI::App* dump_command = app.add_subcommand("dump", "what lies in the store, for eyes");
  std::string dumped;
  add_common(dump_command);
  dump_command->add_option("what", dumped, "lanes, ring or checkpoint")
      ->required()
      ->check(CLI::IsMember({"lanes", "ring", "checkpoint"}));
  dump_command->callback([&] { code = dump(common, dumped); });

  CLI::App* check_command = app.add_subcommand("check", "whether the store is whole: checksums, numbers, figures that add up");
  bool repair = false;
  add_common(check_command);
  check_command->add_flag("--repair", repair, "first make the summary whole, as far as can be, while no aggregator runs");
  check_command->callback([&] { code = check(common, repair); });

  CLI::App* compact_command =
      app.add_subcommand("compact", "make the summary smaller: without the pages that hold nothing");
  add_common(compact_command);
  compact_command->callback([&] { code = compact(common); });

  CLI::App* config_command = app.add_subcommand("config", "the configuration");
  config_command->require_subcommand(1);
  CLI::App* test_command = config_command->add_subcommand("test", "check footfall.toml");
  add_common(test_command);
  test_command->callback([&] { code = config_test(common); });

  std::string allowed;
  if (const char* unknown = find_unknown_command(app, argc, argv, allowed)) {
    std::fprintf(stderr, "footfall: there is no command \"%s\"; allowed: %s\n", unknown, allowed.c_str());
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitWell : kExitUsage;
  }
  return code;
}
