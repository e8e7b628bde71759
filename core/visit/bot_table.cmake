# The library footfall_bot_table: classify_agent() of visit/bots.h over a table made from npm's crawler-user-agents.
# FOOTFALL_NPM_DIR is a node_modules folder that has the package; scripts/build fills the default one.
set(FOOTFALL_NPM_DIR ${CMAKE_SOURCE_DIR}/build/node_modules CACHE PATH "node_modules folder with crawler-user-agents")
set(bot_list ${FOOTFALL_NPM_DIR}/crawler-user-agents/crawler-user-agents.json)
find_program(NODE NAMES node nodejs)
if(NOT NODE)
  message(FATAL_ERROR "The bot table needs node: apt-get install nodejs npm (or configure with -DFOOTFALL_PROGRAM=OFF)")
endif()
if(NOT EXISTS ${bot_list})
  message(FATAL_ERROR "The bot table needs npm's crawler-user-agents, and ${bot_list} is missing. Run scripts/build, or:\n"
    "  mkdir -p build && cp scripts/package.json scripts/package-lock.json build/ && npm ci --prefix build\n"
    "or give another node_modules folder by -DFOOTFALL_NPM_DIR=DIR, or configure with -DFOOTFALL_PROGRAM=OFF.")
endif()

set(bot_table ${CMAKE_BINARY_DIR}/visit/bot_table.cc)
set(bot_instances ${CMAKE_BINARY_DIR}/visit/bot_instances.txt)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/visit)
add_custom_command(
  OUTPUT ${bot_table} ${bot_instances}
  COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/scripts/bot-table ${bot_list} ${CMAKE_CURRENT_LIST_DIR}/lists ${bot_table}
          ${bot_instances}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/bot-table ${bot_list} ${CMAKE_CURRENT_LIST_DIR}/lists/ai_agents.txt
          ${CMAKE_CURRENT_LIST_DIR}/lists/bots_amended.txt
  COMMENT "Making the bot table"
  VERBATIM)

add_library(footfall_bot_table STATIC ${bot_table})
target_link_libraries(footfall_bot_table PUBLIC footfall_core)
# For the unit test: the table is there, the list's own example agents, and those of real browsers (npm's user-agents),
# where that package is installed.
target_compile_definitions(footfall_bot_table INTERFACE FOOTFALL_BOT_INSTANCES="${bot_instances}"
  FOOTFALL_BROWSERS_SEEN="${FOOTFALL_NPM_DIR}/user-agents/dist/user-agents.json")
