# Read by nginx's configure when it writes its Makefile: how the core is built, and the flags of our objects alone.
# GNU make's target-specific variables; nginx's own files are compiled as ever.

footfall_core=$footfall_tree/libfootfall_core.a
footfall_proto=$footfall_tree/libfootfall_proto.a
footfall_objs=
for footfall_src in $footfall_srcs; do
    footfall_obj=addon/`basename \`dirname $footfall_src\``/`basename $footfall_src .cc`.o
    footfall_objs="$footfall_objs $NGX_OBJS/$footfall_obj"
done

if [ "$footfall_link_mode" = DYNAMIC ]; then
    footfall_target=$NGX_OBJS/ngx_http_footfall_module.so
else
    footfall_target=$NGX_OBJS/nginx
fi

# nginx's headers are system headers to us: its warnings are not ours to mend. The system's own folder must not be named so:
# the C++ library would no longer find the C one behind it.
footfall_incs=
for footfall_dir in $CORE_INCS $NGX_OBJS $HTTP_INCS; do
    case $footfall_dir in
        /usr/include) ;;
        *) footfall_incs="$footfall_incs -isystem $footfall_dir" ;;
    esac
done

footfall_version=`sed -n "s/^project(footfall VERSION \([0-9.]*\).*/\1/p" $footfall_root/CMakeLists.txt`

cat << END >> $NGX_MAKEFILE

# footfall: the core, by CMake. Always asked, for only it knows what is out of date; an archive that stays as it was links
# nothing anew.

.PHONY: footfall_ask_cmake

$footfall_core: footfall_ask_cmake
	+@test -f $footfall_tree/CMakeCache.txt || cmake -S $footfall_root -B $footfall_tree \\
		-DFOOTFALL_PROGRAM=OFF -DFOOTFALL_TESTS=OFF
	+@cmake --build $footfall_tree --target footfall_core footfall_proto

$footfall_proto: $footfall_core
	@:

$footfall_target: $footfall_core $footfall_proto

# Our objects may include messages, which CMake generates.
$footfall_objs: | $footfall_core

$footfall_objs: CFLAGS := \$(filter-out -std=%,\$(CFLAGS)) -O2 -std=c++20 -fvisibility=hidden \\
	-fvisibility-inlines-hidden -Wall -Wextra -Werror -MMD -MP \\
	$footfall_incs -isystem $footfall_tree/proto -I $footfall_root/core -I $footfall_root/ngx_module \\
	-DFOOTFALL_VERSION='"$footfall_version"'

-include $NGX_OBJS/addon/ngx_http_footfall*/*.d

END
