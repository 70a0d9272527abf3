//! What a policy source must not look like: the parser takes time exponential in nested parentheses, and it and whoever reads the
//! tree behind it recurse for each bracket and each operator of an expression. So this is refused before it sees the source.

/// Brackets of all kinds inside each other.
const NESTING_MAX: usize = 12;
/// Characters of operators in one expression, between one bracket and the next inside it.
const OPERATORS_MAX: usize = 128;
/// Of these without an operand between them: `!= -` has three.
const ROW_MAX: usize = 4;

pub struct Fault {
    pub file: String,
    pub line: u32,
    pub message: String,
}

pub fn check(modules: &[(&str, &str)]) -> Result<(), Fault> {
    modules.iter().try_for_each(|(name, source)| {
        measure(source).map_err(|(line, message)| Fault { file: name.to_string(), line, message })
    })
}

/// Of what stands between two brackets: the operators of the expression so far, and whether it could end here.
#[derive(Default)]
struct Level {
    operators: usize,
    row: usize,
    ended: bool,
}

impl Level {
    /// A name, a number, a string. Two without an operator between them are two expressions.
    fn operand(&mut self) {
        if self.ended {
            self.operators = 0;
        }
        self.ended = true;
        self.row = 0;
    }

    fn operator(&mut self) -> Result<(), String> {
        self.ended = false;
        self.operators += 1;
        self.row += 1;
        if self.row > ROW_MAX {
            return Err(format!("more than {ROW_MAX} characters of operators in a row"));
        }
        if self.operators > OPERATORS_MAX {
            return Err(format!("one expression has more than {OPERATORS_MAX} characters of operators"));
        }
        Ok(())
    }
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c == b'.'
}

/// On error the line. Strings and comments are left out.
fn measure(source: &str) -> Result<(), (u32, String)> {
    let bytes = source.as_bytes();
    let (mut at, mut line) = (0usize, 1u32);
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    while let Some(&c) = bytes.get(at) {
        let begin = at;
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
                level.operand();
            }
            b'(' | b'[' | b'{' => {
                outer.push(std::mem::take(&mut level));
                if outer.len() > NESTING_MAX {
                    return Err((line, format!("brackets are nested more than {NESTING_MAX} deep")));
                }
            }
            b')' | b']' | b'}' => {
                level = outer.pop().unwrap_or_default();
                level.ended = true;
                level.row = 0;
            }
            b',' | b';' | b':' => level = Level::default(),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'<' | b'>' | b'=' | b'!' => {
                level.operator().map_err(|message| (line, message))?;
            }
            _ if is_name(c) => {
                while bytes.get(at).is_some_and(|&b| is_name(b)) {
                    at += 1;
                }
                if bytes.get(begin..at) == Some(b"in") {
                    level.operator().map_err(|message| (line, message))?;
                } else {
                    level.operand();
                }
            }
            _ => {}
        }
    }
    Ok(())
}
