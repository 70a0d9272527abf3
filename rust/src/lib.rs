//! sallyport_policy.h, function by function. All unsafe code of the crate is here and in ffi.rs.

mod bounded;
mod calls;
mod chain;
mod coverage;
mod engine;
mod ffi;
mod shape;
mod tree;

use std::time::Duration;

use engine::{CompileError, PolicyEngine};
use ffi::{guarded, SpCompileError, SpDecision, SpModule, SpText, SpView, ERROR, OK, PANIC};

unsafe fn modules_of<'a>(modules: *const SpModule, count: usize) -> Result<Vec<(&'a str, &'a str)>, CompileError> {
    let mut out = Vec::new();
    if modules.is_null() || count == 0 {
        return Ok(out);
    }
    for module in std::slice::from_raw_parts(modules, count) {
        match (module.name.required(), module.source.required()) {
            (Ok(name), Ok(source)) => out.push((name, source)),
            (name, source) => {
                let message = source.err().or(name.err()).unwrap_or_default();
                return Err(CompileError {
                    file: module.name.required().unwrap_or("").to_string(),
                    message,
                    line: 0,
                    column: 0,
                });
            }
        }
    }
    Ok(out)
}

/// Clones are made from one engine on several threads at once.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<PolicyEngine>();
};

unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        place.write(value);
    }
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_engine_new(
    modules: *const SpModule,
    count: usize,
    error: *mut SpCompileError,
) -> *mut PolicyEngine {
    let made = guarded(|| modules_of(modules, count).and_then(|list| PolicyEngine::new(&list)));
    let failure = match made {
        Some(Ok(engine)) => return Box::into_raw(Box::new(engine)),
        Some(Err(failure)) => failure,
        None => CompileError { file: String::new(), message: "the compiler broke".to_string(), line: 0, column: 0 },
    };
    put(
        error,
        SpCompileError {
            file: SpText::new(failure.file),
            message: SpText::new(failure.message),
            line: failure.line,
            column: failure.column,
        },
    );
    std::ptr::null_mut()
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_engine_clone(engine: *const PolicyEngine) -> *mut PolicyEngine {
    let Some(engine) = engine.as_ref() else {
        return std::ptr::null_mut();
    };
    guarded(|| engine.clone()).map_or(std::ptr::null_mut(), |copy| Box::into_raw(Box::new(copy)))
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_engine_free(engine: *mut PolicyEngine) {
    if !engine.is_null() {
        let owned = Box::from_raw(engine);
        guarded(move || drop(owned));
    }
}

/// Runs `body` on the engine and says how it went; a panic poisons the engine.
unsafe fn with_engine(
    engine: *mut PolicyEngine,
    error: *mut SpText,
    body: impl FnOnce(&mut PolicyEngine) -> Result<(), String>,
) -> i32 {
    put(error, SpText::EMPTY);
    let Some(engine) = engine.as_mut() else {
        return ERROR;
    };
    match guarded(|| body(engine)) {
        Some(Ok(())) => OK,
        Some(Err(message)) => {
            put(error, SpText::new(message));
            ERROR
        }
        None => {
            engine.poisoned = true;
            put(error, SpText::new("the policy engine broke".to_string()));
            PANIC
        }
    }
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_engine_add_data(engine: *mut PolicyEngine, json: SpView, error: *mut SpText) -> i32 {
    with_engine(engine, error, |e| e.add_data(json.required()?))
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_engine_set_strict(engine: *mut PolicyEngine, strict: u8) {
    with_engine(engine, std::ptr::null_mut(), |e| {
        e.set_strict(strict != 0);
        Ok(())
    });
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_decide(
    engine: *mut PolicyEngine,
    package: SpView,
    input: SpView,
    arguments: SpView,
    with_obligations: u8,
    budget_ns: u64,
    decision: *mut SpDecision,
    error: *mut SpText,
) -> i32 {
    put(decision, SpDecision { allow: 0, deny: 1, reasons: SpText::EMPTY, obligations: SpText::EMPTY });
    with_engine(engine, error, |e| {
        let arguments = arguments.text().transpose()?;
        let budget = Duration::from_nanos(budget_ns);
        let made = e.decide(package.required()?, input.required()?, arguments, with_obligations != 0, budget)?;
        put(
            decision,
            SpDecision {
                allow: made.allow.into(),
                deny: made.deny.into(),
                reasons: SpText::new(made.reasons),
                obligations: SpText::new(made.obligations),
            },
        );
        Ok(())
    })
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_query(
    engine: *mut PolicyEngine,
    query: SpView,
    input: SpView,
    budget_ns: u64,
    result: *mut SpText,
    error: *mut SpText,
) -> i32 {
    put(result, SpText::EMPTY);
    with_engine(engine, error, |e| {
        let json = e.query(query.required()?, input.required()?, Duration::from_nanos(budget_ns))?;
        put(result, SpText::new(json));
        Ok(())
    })
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_set_coverage(engine: *mut PolicyEngine, on: u8) {
    with_engine(engine, std::ptr::null_mut(), |e| {
        e.set_coverage(on != 0);
        Ok(())
    });
}

/// # Safety
/// See sallyport_policy.h.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_coverage(
    engine: *mut PolicyEngine,
    input: SpView,
    arguments: SpView,
    budget_ns: u64,
    report: *mut SpText,
    error: *mut SpText,
) -> i32 {
    put(report, SpText::EMPTY);
    with_engine(engine, error, |e| {
        let arguments = arguments.text().transpose()?;
        let question = input.text().transpose()?.map(|input| (input, arguments));
        put(report, SpText::new(e.coverage(question, Duration::from_nanos(budget_ns))?));
        Ok(())
    })
}

/// # Safety
/// `text` came from this library and was not freed.
#[no_mangle]
pub unsafe extern "C" fn sp_policy_text_free(text: SpText) {
    if !text.data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(text.data, text.size)));
    }
}
