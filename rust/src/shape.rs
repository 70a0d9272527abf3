//! What a policy source must not look like: the parser takes time exponential in nested parentheses, and recurses, so this is
//! refused before it sees the source.

/// Brackets of all kinds inside each other.
const NESTING_MAX: usize = 12;

pub struct Fault {
    pub file: String,
    pub line: u32,
    pub message: String,
}

pub fn check(modules: &[(&str, &str)]) -> Result<(), Fault> {
    modules.iter().try_for_each(|(name, source)| {
        nesting(source).map_err(|line| Fault {
            file: name.to_string(),
            line,
            message: format!("brackets are nested more than {NESTING_MAX} deep"),
        })
    })
}

/// The line where the brackets are too many; strings and comments are left out.
fn nesting(source: &str) -> Result<(), u32> {
    let bytes = source.as_bytes();
    let (mut at, mut line, mut depth) = (0usize, 1u32, 0usize);
    while let Some(&c) = bytes.get(at) {
        at += 1;
        match c {
            b'\n' => line += 1,
            b'#' => {
                while bytes.get(at).is_some_and(|&b| b != b'\n') {
                    at += 1;
                }
            }
            b'"' | b'`' => {
                while bytes.get(at).is_some_and(|&b| b != c) {
                    line += u32::from(bytes.get(at) == Some(&b'\n'));
                    at += if c == b'"' && bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                at += 1;
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > NESTING_MAX {
                    return Err(line);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
