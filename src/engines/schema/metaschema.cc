// The official metaschemas of draft-07 and 2020-12, minified, otherwise unchanged: published by the JSON Schema authors
// (json-schema-org/json-schema-spec) under the Academic Free License 3.0 or the BSD 3-clause licence, at choice.
#include "engines/schema/metaschema.h"

#include <array>
#include <utility>

namespace sallyport::schema {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMetaschemas = {{
    {"http://json-schema.org/draft-07/schema",
     R"~({"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://json-schema.org/draft-07/schema#","ti)~"
     R"~(tle":"Core schema meta-schema","definitions":{"schemaArray":{"type":"array","minItems":1,"items":{"$ref")~"
     R"~(:"#"}},"nonNegativeInteger":{"type":"integer","minimum":0},"nonNegativeIntegerDefault0":{"allOf":[{"$ref)~"
     R"~(":"#/definitions/nonNegativeInteger"},{"default":0}]},"simpleTypes":{"enum":["array","boolean","integer")~"
     R"~(,"null","number","object","string"]},"stringArray":{"type":"array","items":{"type":"string"},"uniqueItem)~"
     R"~(s":true,"default":[]}},"type":["object","boolean"],"properties":{"$id":{"type":"string","format":"uri-re)~"
     R"~(ference"},"$schema":{"type":"string","format":"uri"},"$ref":{"type":"string","format":"uri-reference"},")~"
     R"~($comment":{"type":"string"},"title":{"type":"string"},"description":{"type":"string"},"default":true,"re)~"
     R"~(adOnly":{"type":"boolean","default":false},"examples":{"type":"array","items":true},"multipleOf":{"type")~"
     R"~(:"number","exclusiveMinimum":0},"maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimu)~"
     R"~(m":{"type":"number"},"exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/definitions/nonNegative)~"
     R"~(Integer"},"minLength":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},"pattern":{"type":"string","fo)~"
     R"~(rmat":"regex"},"additionalItems":{"$ref":"#"},"items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/sche)~"
     R"~(maArray"}],"default":true},"maxItems":{"$ref":"#/definitions/nonNegativeInteger"},"minItems":{"$ref":"#/)~"
     R"~(definitions/nonNegativeIntegerDefault0"},"uniqueItems":{"type":"boolean","default":false},"contains":{"$)~"
     R"~(ref":"#"},"maxProperties":{"$ref":"#/definitions/nonNegativeInteger"},"minProperties":{"$ref":"#/definit)~"
     R"~(ions/nonNegativeIntegerDefault0"},"required":{"$ref":"#/definitions/stringArray"},"additionalProperties")~"
     R"~(:{"$ref":"#"},"definitions":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},"properti)~"
     R"~(es":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},"patternProperties":{"type":"obje)~"
     R"~(ct","additionalProperties":{"$ref":"#"},"propertyNames":{"format":"regex"},"default":{}},"dependencies":)~"
     R"~({"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/stringArray"}]}},")~"
     R"~(propertyNames":{"$ref":"#"},"const":true,"enum":{"type":"array","items":true,"minItems":1,"uniqueItems":)~"
     R"~(true},"type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},{"type":"array","items":{"$ref":"#/definitio)~"
     R"~(ns/simpleTypes"},"minItems":1,"uniqueItems":true}]},"format":{"type":"string"},"contentMediaType":{"type)~"
     R"~(":"string"},"contentEncoding":{"type":"string"},"if":{"$ref":"#"},"then":{"$ref":"#"},"else":{"$ref":"#")~"
     R"~(},"allOf":{"$ref":"#/definitions/schemaArray"},"anyOf":{"$ref":"#/definitions/schemaArray"},"oneOf":{"$r)~"
     R"~(ef":"#/definitions/schemaArray"},"not":{"$ref":"#"}},"default":true})~"},
    {"https://json-schema.org/draft/2020-12/schema",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/s)~"
     R"~(chema","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,"https://json-schema.org/d)~"
     R"~(raft/2020-12/vocab/applicator":true,"https://json-schema.org/draft/2020-12/vocab/unevaluated":true,"http)~"
     R"~(s://json-schema.org/draft/2020-12/vocab/validation":true,"https://json-schema.org/draft/2020-12/vocab/me)~"
     R"~(ta-data":true,"https://json-schema.org/draft/2020-12/vocab/format-annotation":true,"https://json-schema.)~"
     R"~(org/draft/2020-12/vocab/content":true},"$dynamicAnchor":"meta","title":"Core and Validation specificatio)~"
     R"~(ns meta-schema","allOf":[{"$ref":"meta/core"},{"$ref":"meta/applicator"},{"$ref":"meta/unevaluated"},{"$)~"
     R"~(ref":"meta/validation"},{"$ref":"meta/meta-data"},{"$ref":"meta/format-annotation"},{"$ref":"meta/conten)~"
     R"~(t"}],"type":["object","boolean"],"$comment":"This meta-schema also defines keywords that have appeared i)~"
     R"~(n previous drafts in order to prevent incompatible extensions as they remain in common use.","properties)~"
     R"~(":{"definitions":{"$comment":"\"definitions\" has been replaced by \"$defs\".","type":"object","addition)~"
     R"~(alProperties":{"$dynamicRef":"#meta"},"deprecated":true,"default":{}},"dependencies":{"$comment":"\"depe)~"
     R"~(ndencies\" has been split and replaced by \"dependentSchemas\" and \"dependentRequired\" in order to ser)~"
     R"~(ve their differing semantics.","type":"object","additionalProperties":{"anyOf":[{"$dynamicRef":"#meta"},)~"
     R"~({"$ref":"meta/validation#/$defs/stringArray"}]},"deprecated":true,"default":{}},"$recursiveAnchor":{"$co)~"
     R"~(mment":"\"$recursiveAnchor\" has been replaced by \"$dynamicAnchor\".","$ref":"meta/core#/$defs/anchorSt)~"
     R"~(ring","deprecated":true},"$recursiveRef":{"$comment":"\"$recursiveRef\" has been replaced by \"$dynamicR)~"
     R"~(ef\".","$ref":"meta/core#/$defs/uriReferenceString","deprecated":true}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/core",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/core","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true},"$dynamicAnchor":"meta)~"
     R"~(","title":"Core vocabulary meta-schema","type":["object","boolean"],"properties":{"$id":{"$ref":"#/$defs)~"
     R"~(/uriReferenceString","$comment":"Non-empty fragments not allowed.","pattern":"^[^#]*#?$"},"$schema":{"$r)~"
     R"~(ef":"#/$defs/uriString"},"$ref":{"$ref":"#/$defs/uriReferenceString"},"$anchor":{"$ref":"#/$defs/anchorS)~"
     R"~(tring"},"$dynamicRef":{"$ref":"#/$defs/uriReferenceString"},"$dynamicAnchor":{"$ref":"#/$defs/anchorStri)~"
     R"~(ng"},"$vocabulary":{"type":"object","propertyNames":{"$ref":"#/$defs/uriString"},"additionalProperties":)~"
     R"~({"type":"boolean"}},"$comment":{"type":"string"},"$defs":{"type":"object","additionalProperties":{"$dyna)~"
     R"~(micRef":"#meta"}}},"$defs":{"anchorString":{"type":"string","pattern":"^[A-Za-z_][-A-Za-z0-9._]*$"},"uri)~"
     R"~(String":{"type":"string","format":"uri"},"uriReferenceString":{"type":"string","format":"uri-reference"})~"
     R"~(}})~"},
    {"https://json-schema.org/draft/2020-12/meta/applicator",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/applicator","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/applicator":true},"$dynamicA)~"
     R"~(nchor":"meta","title":"Applicator vocabulary meta-schema","type":["object","boolean"],"properties":{"pre)~"
     R"~(fixItems":{"$ref":"#/$defs/schemaArray"},"items":{"$dynamicRef":"#meta"},"contains":{"$dynamicRef":"#met)~"
     R"~(a"},"additionalProperties":{"$dynamicRef":"#meta"},"properties":{"type":"object","additionalProperties":)~"
     R"~({"$dynamicRef":"#meta"},"default":{}},"patternProperties":{"type":"object","additionalProperties":{"$dyn)~"
     R"~(amicRef":"#meta"},"propertyNames":{"format":"regex"},"default":{}},"dependentSchemas":{"type":"object",")~"
     R"~(additionalProperties":{"$dynamicRef":"#meta"},"default":{}},"propertyNames":{"$dynamicRef":"#meta"},"if")~"
     R"~(:{"$dynamicRef":"#meta"},"then":{"$dynamicRef":"#meta"},"else":{"$dynamicRef":"#meta"},"allOf":{"$ref":")~"
     R"~(#/$defs/schemaArray"},"anyOf":{"$ref":"#/$defs/schemaArray"},"oneOf":{"$ref":"#/$defs/schemaArray"},"not)~"
     R"~(":{"$dynamicRef":"#meta"}},"$defs":{"schemaArray":{"type":"array","minItems":1,"items":{"$dynamicRef":"#)~"
     R"~(meta"}}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/unevaluated","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/unevaluated":true},"$dynami)~"
     R"~(cAnchor":"meta","title":"Unevaluated applicator vocabulary meta-schema","type":["object","boolean"],"pro)~"
     R"~(perties":{"unevaluatedItems":{"$dynamicRef":"#meta"},"unevaluatedProperties":{"$dynamicRef":"#meta"}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/validation",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/validation","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/validation":true},"$dynamicA)~"
     R"~(nchor":"meta","title":"Validation vocabulary meta-schema","type":["object","boolean"],"properties":{"typ)~"
     R"~(e":{"anyOf":[{"$ref":"#/$defs/simpleTypes"},{"type":"array","items":{"$ref":"#/$defs/simpleTypes"},"minI)~"
     R"~(tems":1,"uniqueItems":true}]},"const":true,"enum":{"type":"array","items":true},"multipleOf":{"type":"nu)~"
     R"~(mber","exclusiveMinimum":0},"maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{)~"
     R"~("type":"number"},"exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/$defs/nonNegativeInteger"},)~"
     R"~("minLength":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"pattern":{"type":"string","format":"regex"},")~"
     R"~(maxItems":{"$ref":"#/$defs/nonNegativeInteger"},"minItems":{"$ref":"#/$defs/nonNegativeIntegerDefault0"})~"
     R"~(,"uniqueItems":{"type":"boolean","default":false},"maxContains":{"$ref":"#/$defs/nonNegativeInteger"},"m)~"
     R"~(inContains":{"$ref":"#/$defs/nonNegativeInteger","default":1},"maxProperties":{"$ref":"#/$defs/nonNegati)~"
     R"~(veInteger"},"minProperties":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"required":{"$ref":"#/$defs/st)~"
     R"~(ringArray"},"dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/stringArray"}}})~"
     R"~(,"$defs":{"nonNegativeInteger":{"type":"integer","minimum":0},"nonNegativeIntegerDefault0":{"$ref":"#/$d)~"
     R"~(efs/nonNegativeInteger","default":0},"simpleTypes":{"enum":["array","boolean","integer","null","number",)~"
     R"~("object","string"]},"stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true,"default")~"
     R"~(:[]}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/meta-data",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/meta-data","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/meta-data":true},"$dynamicAnc)~"
     R"~(hor":"meta","title":"Meta-data vocabulary meta-schema","type":["object","boolean"],"properties":{"title")~"
     R"~(:{"type":"string"},"description":{"type":"string"},"default":true,"deprecated":{"type":"boolean","defaul)~"
     R"~(t":false},"readOnly":{"type":"boolean","default":false},"writeOnly":{"type":"boolean","default":false},")~"
     R"~(examples":{"type":"array","items":true}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/format-annotation","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/format-annotation":tr)~"
     R"~(ue},"$dynamicAnchor":"meta","title":"Format vocabulary meta-schema for annotation results","type":["obje)~"
     R"~(ct","boolean"],"properties":{"format":{"type":"string"}}})~"},
    {"https://json-schema.org/draft/2020-12/meta/content",
     R"~({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://json-schema.org/draft/2020-12/m)~"
     R"~(eta/content","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/content":true},"$dynamicAnchor")~"
     R"~(:"meta","title":"Content vocabulary meta-schema","type":["object","boolean"],"properties":{"contentEncod)~"
     R"~(ing":{"type":"string"},"contentMediaType":{"type":"string"},"contentSchema":{"$dynamicRef":"#meta"}}})~"},
}};

}  // namespace

std::optional<std::string_view> metaschema(std::string_view uri) {
  for (const auto& [name, text] : kMetaschemas) {
    if (name == uri) return text;
  }
  return std::nullopt;
}

}  // namespace sallyport::schema
