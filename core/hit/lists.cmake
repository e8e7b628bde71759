# Puts the texts of lists/*.txt into footfall_core, so that no file has to be found when a program runs.
set(list_texts "")
foreach(list search social ai video shopping email payment extra aliases spam)
  set(list_file ${CMAKE_CURRENT_LIST_DIR}/lists/${list}.txt)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list_file})
  file(READ ${list_file} list_text)
  string(APPEND list_texts "const std::string_view ${list} = R\"list(${list_text})list\";\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/hit/list_texts.cc @ONLY CONTENT
"// Made by core/hit/lists.cmake from core/hit/lists/*.txt.
#include \"hit/list_texts.h\"

namespace footfall::list_texts {
@list_texts@}
")
target_sources(footfall_core PRIVATE ${CMAKE_BINARY_DIR}/hit/list_texts.cc)
