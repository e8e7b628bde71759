// The subcommands of `footfall`. Each returns the exit code: 0 well, 1 the work failed, 2 wrong usage, 3 done with
// rejected input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aggregate/table_events.h"
#include "lane/store.h"
#include "site/config.h"

namespace footfall {

enum ExitCode : int { kExitWell = 0, kExitFailed = 1, kExitUsage = 2, kExitRejected = 3 };

// Where the configuration and the store come from; every command takes both.
struct Common {
  std::string config_path;  // empty: the default path, if it is there
  std::string store_path;   // goes before the configuration's
};

// The checked configuration; told on standard error and nullopt where it is wrong. Neither path given and no file at the
// default path: the defaults.
std::optional<Config> load(const Common& common);

// The same with what is wrong as the error's text, a line each.
Result<Config> read_config(const Common& common);

bool has_config_file(const Common& common);

// The store, made where it is missing. A command started as root becomes its owner: it opens its inputs before.
Result<Store> open_store(const Config& config);

// The store that is there. A command started as root becomes its owner.
Result<Store> open_existing_store(const Config& config);

int aggregate(const Common& common, bool once, const std::string& begin_anew);
int query(const Common& common, const std::string& report, const std::vector<std::string>& parameters,
          const std::string& format);
struct ImportLogArguments {
  std::vector<std::string> files;
  std::string site, format;
  std::string visitors = "day";  // or all
  bool overlap = false;
  bool events = false;           // files of events
  bool spend = false;            // files are tables of spend
  std::optional<TableKind> table;  // files are tables, whose rows become events
};
int import_log(const Common& common, const ImportLogArguments& arguments);
int import_list(const Common& common);
int import_undo(const Common& common, uint32_t import);

// Erases what is kept of the visitor, or the customer, with that id. kExitFailed: there is nothing of such a one.
int forget(const Common& common, const std::string& id, bool is_customer);

int dump(const Common& common, const std::string& what);  // lanes, ring or checkpoint
int check(const Common& common, bool repair);
int compact(const Common& common);
int config_test(const Common& common);

}  // namespace footfall
