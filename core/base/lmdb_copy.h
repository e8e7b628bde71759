// An environment copied while others read and write it. Implemented in lmdb.cc, the one file that knows LMDB.
#pragma once

#include <string>

#include "base/lmdb.h"

namespace footfall {

// Copies what was committed last to the folder, which is made (2770), leaving out pages that hold nothing. Durable when
// it returns. Where it fails the folder may be there with a part of it. Error::full: no room on the disk.
Status copy_compacted(LmdbEnv& env, const std::string& folder);

}  // namespace footfall
