// The texts of lists/*.txt, put into the program by lists.cmake. Their form stands in README.md; lists.cc reads them.
#pragma once

#include <string_view>

namespace footfall::list_texts {

extern const std::string_view search, social, ai, video, shopping, email, payment, extra, aliases, spam;

}  // namespace footfall::list_texts
