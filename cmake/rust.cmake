# rust/: the policy engine as one static library, built by cargo inside the build folder: target sp_rust_policy.
# Crates come from cargo's registry, the versions of Cargo.lock exactly (--locked); rust/prepare applies rust/patches/ to one.
find_program(SP_CARGO NAMES cargo cargo-web HINTS $ENV{HOME}/.cargo/bin REQUIRED)
find_program(SP_RUSTC NAMES rustc rustc-web HINTS $ENV{HOME}/.cargo/bin REQUIRED)

set(SP_RUST_DIR ${CMAKE_SOURCE_DIR}/rust)
# One folder for all build trees of this clone (release, asan, tsan): the library is the same and takes a minute.
set(SP_RUST_TARGET_DIR ${CMAKE_SOURCE_DIR}/build/rust CACHE PATH "where cargo builds")
set(SP_RUST_LIB ${SP_RUST_TARGET_DIR}/release/libsallyport_policy.a)
file(GLOB SP_RUST_SOURCES CONFIGURE_DEPENDS ${SP_RUST_DIR}/src/*.rs)
file(GLOB SP_RUST_PATCHES CONFIGURE_DEPENDS ${SP_RUST_DIR}/patches/*.patch)

add_custom_command(OUTPUT ${SP_RUST_TARGET_DIR}/crate/.prepared
  COMMAND ${SP_RUST_DIR}/prepare ${SP_CARGO} ${SP_RUSTC} ${SP_RUST_TARGET_DIR}
  DEPENDS ${SP_RUST_PATCHES} ${SP_RUST_DIR}/prepare ${SP_RUST_DIR}/Cargo.toml ${SP_RUST_DIR}/Cargo.lock
  COMMENT "cargo: the policy engine's source, with rust/patches/"
  VERBATIM)

# A crate that lies in a folder is linted as one's own: what a newer compiler finds there must not end the build.
# Cargo does nothing, and does not touch the library, when nothing changed.
add_custom_command(OUTPUT ${SP_RUST_LIB}
  COMMAND ${CMAKE_COMMAND} -E env RUSTC=${SP_RUSTC} CARGO_TERM_PROGRESS_WHEN=never
          "RUSTFLAGS=--remap-path-prefix=${CMAKE_SOURCE_DIR}=. --remap-path-prefix=$ENV{HOME}=~ --cap-lints=warn"
          ${SP_CARGO} build --release --locked --quiet --manifest-path ${SP_RUST_TARGET_DIR}/crate/Cargo.toml
          --target-dir ${SP_RUST_TARGET_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${SP_RUST_LIB}
  DEPENDS ${SP_RUST_SOURCES} ${SP_RUST_TARGET_DIR}/crate/.prepared
  COMMENT "cargo: policy engine (about two minutes the first time)"
  VERBATIM)
add_custom_target(sp_rust_policy_build DEPENDS ${SP_RUST_LIB})

add_library(sp_rust_policy INTERFACE)
add_dependencies(sp_rust_policy sp_rust_policy_build)
target_include_directories(sp_rust_policy SYSTEM INTERFACE ${SP_RUST_DIR})
target_link_libraries(sp_rust_policy INTERFACE ${SP_RUST_LIB} ${CMAKE_DL_LIBS} m)

# policies/*.rego that are no tests, as one generated unit of engines/policy.
set(SP_SHIPPED_POLICIES_CC ${CMAKE_BINARY_DIR}/generated/shipped_policies.cc)
file(GLOB SP_POLICY_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/policies/*.rego)
list(FILTER SP_POLICY_FILES EXCLUDE REGEX "_test\\.rego$")
add_custom_command(OUTPUT ${SP_SHIPPED_POLICIES_CC}
  COMMAND ${CMAKE_COMMAND} "-DFILES=${SP_POLICY_FILES}" -DOUT=${SP_SHIPPED_POLICIES_CC}
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_policies.cmake
  DEPENDS ${SP_POLICY_FILES} ${CMAKE_SOURCE_DIR}/cmake/embed_policies.cmake
  COMMENT "embedding policies/"
  VERBATIM)
add_library(sp_shipped_policies STATIC ${SP_SHIPPED_POLICIES_CC})
target_include_directories(sp_shipped_policies PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(sp_shipped_policies PRIVATE sp_flags)
target_link_libraries(sp_rust_policy INTERFACE sp_shipped_policies)
