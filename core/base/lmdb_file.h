// An LMDB data file seen from outside, before it is mapped: reading a page behind the file's end kills the process.
#pragma once

#include <string>

#include "base/error.h"

namespace footfall {

// Well: no file, an empty one, or one that holds every page that its newest meta page leads to. Error::corrupt: it does
// not, or is no LMDB file. May be called while another process writes.
Status check_lmdb_file(const std::string& data_file);

}  // namespace footfall
