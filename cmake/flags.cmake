# Flags of every target: warnings are errors; hardening as the OpenSSF compiler guide asks (threats.md, section 4).
add_library(sp_flags INTERFACE)
target_compile_options(sp_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-gnu-statement-expression -fno-omit-frame-pointer
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_compile_options(sp_flags INTERFACE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
target_compile_definitions(sp_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION=1
  # glibc's aligned_alloc passes its thread cache by: coroutine frames and handlers came at three times malloc's price.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8
  SALLYPORT_VERSION="${PROJECT_VERSION}")
# Said by hand for every unit alike: CMake's own switch differs between libraries and programs, and a precompiled header
# serves only one of the two.
target_compile_options(sp_flags INTERFACE -fPIE -pthread)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
if(SALLYPORT_ASAN)
  # What runs a few seconds takes as long to optimise as to run: -O0 is 0.55 of the time to compile. Fuzz targets run for long.
  target_compile_options(sp_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -g1
    $<IF:$<BOOL:${SALLYPORT_FUZZ}>,-O1,-O0>)
  target_link_options(sp_flags INTERFACE -fsanitize=address,undefined)
elseif(SALLYPORT_TSAN)
  target_compile_options(sp_flags INTERFACE -fsanitize=thread -O1 -g1)
  target_link_options(sp_flags INTERFACE -fsanitize=thread)
else()
  target_compile_options(sp_flags INTERFACE -O2 -g1 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
    -ftrivial-auto-var-init=zero)
  target_compile_definitions(sp_flags INTERFACE _GLIBCXX_ASSERTIONS _FORTIFY_SOURCE=3)
  target_link_options(sp_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
  if(SALLYPORT_TRAIN)
    target_compile_options(sp_flags INTERFACE -fprofile-generate -fprofile-update=atomic)
    target_link_options(sp_flags INTERFACE -fprofile-generate)
  elseif(SALLYPORT_LAYOUT)
    # Which code a call runs through, measured by bench/train (docs/decisions/0009-layout-by-profile.md). Code that changed
    # since is compiled as if nothing was known of it.
    target_compile_options(sp_flags INTERFACE -flto=thin -fprofile-use=${CMAKE_SOURCE_DIR}/bench/calls.profdata
      -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date -Wno-backend-plugin)
    target_link_options(sp_flags INTERFACE -flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto
      -Wl,--thinlto-cache-policy=prune_after=168h:cache_size_bytes=500m)
  endif()
endif()
if(SALLYPORT_FUZZ)
  target_compile_options(sp_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_options(sp_flags INTERFACE -pie -fuse-ld=lld)
