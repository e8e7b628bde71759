#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace footfall {

Error Error::io(std::string text, int error_number) {
  const bool no_room = error_number == ENOSPC || error_number == EDQUOT;
  char buffer[128];
  text += ": ";
  text += strerror_r(error_number, buffer, sizeof buffer);
  return {no_room ? Code::full : Code::io, std::move(text)};
}

}  // namespace footfall
