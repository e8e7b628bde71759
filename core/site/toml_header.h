// The one door to toml++: without exceptions, compiled once (toml_section.cc).
//
// Its assertions are off because some of them speak of the input ("[[[" aborts in 3.3.0; the code behind them reports
// it), and NDEBUG is hidden because with it they would become promises to the optimiser.
#pragma once

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
