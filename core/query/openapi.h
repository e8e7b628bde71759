// The query API, told to machines.
#pragma once

#include <string>

namespace footfall {

// An OpenAPI 3.0 document, made from the same tables as the checks of queries. Its server is the folder it lies in.
std::string openapi_json();

}  // namespace footfall
