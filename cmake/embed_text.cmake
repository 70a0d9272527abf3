# cmake -DFILE=x.json -DNAME=kSchemas -DNAMESPACE=sallyport::api -DOUT=x.cc -P embed_text.cmake: a file as a string_view.
file(READ ${FILE} source)
string(FIND "${source}" ")TEXT\"" clash)
if(NOT clash EQUAL -1)
  message(FATAL_ERROR "${FILE} contains the end mark of a raw string")
endif()
get_filename_component(name ${FILE} NAME)
file(WRITE ${OUT} "// Generated from ${name} by cmake/embed_text.cmake.\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n\n"
  "extern const std::string_view ${NAME};\nconst std::string_view ${NAME} = R\"TEXT(${source})TEXT\";\n\n}  // namespace ${NAMESPACE}\n")
