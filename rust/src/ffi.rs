//! The C types of sallyport_policy.h and the conversions at the border.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

pub const OK: i32 = 0;
pub const ERROR: i32 = 1;
pub const PANIC: i32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct SpView {
    pub data: *const u8,
    pub size: usize,
}

impl SpView {
    /// The bytes as UTF-8 text; None where absent, Some(Err) where not UTF-8.
    ///
    /// # Safety
    /// `data` is null or points to `size` readable bytes that outlive `'a`.
    pub unsafe fn text<'a>(self) -> Option<Result<&'a str, String>> {
        if self.data.is_null() {
            return None;
        }
        let bytes = std::slice::from_raw_parts(self.data, self.size);
        Some(std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8: {e}")))
    }

    /// Like `text`, where absence is an error.
    ///
    /// # Safety
    /// As `text`.
    pub unsafe fn required<'a>(self) -> Result<&'a str, String> {
        self.text().unwrap_or_else(|| Err("absent text".to_string()))
    }
}

#[repr(C)]
pub struct SpText {
    pub data: *mut u8,
    pub size: usize,
}

impl SpText {
    pub const EMPTY: SpText = SpText { data: std::ptr::null_mut(), size: 0 };

    pub fn new(text: String) -> SpText {
        if text.is_empty() {
            return SpText::EMPTY;
        }
        let bytes = text.into_bytes().into_boxed_slice();
        let size = bytes.len();
        SpText { data: Box::into_raw(bytes) as *mut u8, size }
    }
}

#[repr(C)]
pub struct SpModule {
    pub name: SpView,
    pub source: SpView,
}

#[repr(C)]
pub struct SpCompileError {
    pub file: SpText,
    pub message: SpText,
    pub line: u32,
    pub column: u32,
}

#[repr(C)]
pub struct SpDecision {
    pub allow: u8,
    pub deny: u8,
    pub reasons: SpText,
    pub obligations: SpText,
}

/// Runs `body`; a panic becomes None. The message of a panic may quote foreign data, so it is not printed.
pub fn guarded<T>(body: impl FnOnce() -> T) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    catch_unwind(AssertUnwindSafe(body)).ok()
}
