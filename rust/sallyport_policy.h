/* The policy engine (crate regorus) behind an interface of ours. Foreign bytes come as pointer and length, never as C
 * strings; texts that come back belong to the caller until sp_policy_text_free. No function lets a Rust panic out: it
 * becomes SP_POLICY_PANIC, and that engine answers SP_POLICY_ERROR from then on. An engine is used by one thread at a
 * time, but cloned by any number at once; different engines, clones included, are independent. */
#ifndef SALLYPORT_POLICY_H
#define SALLYPORT_POLICY_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct SpEngine SpEngine;

typedef struct {
  const char* data; /* UTF-8; null stands for "absent" where that is allowed */
  size_t size;
} SpView;

typedef struct {
  char* data; /* null where there is none */
  size_t size;
} SpText;

typedef struct {
  SpView name;
  SpView source;
} SpModule;

/* Where a module fails to parse or compile. Free `file` and `message`. Line and column from 1; 0: unknown. */
typedef struct {
  SpText file;
  SpText message;
  uint32_t line;
  uint32_t column;
} SpCompileError;

enum { SP_POLICY_OK = 0, SP_POLICY_ERROR = 1, SP_POLICY_PANIC = 2 };

/* `deny` is true unless data.<package>.deny is undefined, false or an empty collection. `reasons`: the strings in it, each
 * ended by a NUL byte (a NUL inside becomes a space). `obligations`: JSON of data.<package>.obligations; empty where it is
 * undefined, was not asked for, or the answer is no. Free both. */
typedef struct {
  uint8_t allow;
  uint8_t deny;
  SpText reasons;
  SpText obligations;
} SpDecision;

/* Modules are read as Rego v1, or as v0 where that fails. Null on failure, and then `error` is filled. */
SpEngine* sp_policy_engine_new(const SpModule* modules, size_t count, SpCompileError* error);
SpEngine* sp_policy_engine_clone(const SpEngine* engine);
void sp_policy_engine_free(SpEngine* engine);

/* Merges a JSON object into `data`. */
int32_t sp_policy_engine_add_data(SpEngine* engine, SpView json, SpText* error);
/* Strict (the default): an error of a builtin ends the evaluation. Else it makes the expression undefined, as in OPA. */
void sp_policy_engine_set_strict(SpEngine* engine, uint8_t strict);

/* Evaluates data.<package>.allow, .deny and, where `with_obligations` is not 0 and the answer is yes, .obligations. `arguments`
 * (null: absent) is parsed as a document of its own and becomes input.arguments. A package without a rule `allow` is an error.
 * `budget_ns` (wall clock) bounds each of the rules; one that exceeds it is tried once more with four times as much, since the
 * thread may have lost the processor. */
int32_t sp_policy_decide(SpEngine* engine, SpView package, SpView input, SpView arguments, uint8_t with_obligations,
                         uint64_t budget_ns, SpDecision* decision, SpText* error);

/* Evaluates a query; `input` is any JSON, or empty: there is none. `result` is the JSON array of its results ({"expressions":[..],"bindings":{..}}), "[]" if undefined. */
int32_t sp_policy_query(SpEngine* engine, SpView query, SpView input, uint64_t budget_ns, SpText* result, SpText* error);

/* Notes which lines of rules are evaluated, from now on (1) or no more (0); forgets what was noted. Off until asked for, and
 * slow while it is on. */
void sp_policy_set_coverage(SpEngine* engine, uint8_t on);

/* What was reached since, a JSON array by file: {"file","reached":[line..],"not_reached":[line..],"bodies":[{"rule":
 * "package.name","kind":"rule"|"else"|"default"|"function","line","last_line","reached","not_reached","holds":bool|null}]}. With an
 * `input` (null: absent) the reached bodies are asked one by one whether they hold on it, `budget_ns` in each file; null where
 * that was not asked or could not be said. */
int32_t sp_policy_coverage(SpEngine* engine, SpView input, SpView arguments, uint64_t budget_ns, SpText* report,
                           SpText* error);

void sp_policy_text_free(SpText text);

#ifdef __cplusplus
}
#endif
#endif
