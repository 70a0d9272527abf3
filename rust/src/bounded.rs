//! Builtins put before those of regorus: what allocates as much as a number tells it, bounded (an allocation that fails
//! ends the process, and the number may come from the arguments of a call), and what answers otherwise than OPA does.

use anyhow::{bail, Result};
use regorus::{Engine, Value};

const ELEMENTS_MAX: i64 = 100_000;
const SHIFT_MAX: i64 = 62;

/// Puts the bounded forms before the builtins of the same name.
pub fn install(engine: &mut Engine) -> Result<()> {
    engine.add_extension("numbers.range".to_string(), 2, Box::new(range))?;
    engine.add_extension("numbers.range_step".to_string(), 3, Box::new(range))?;
    engine.add_extension("bits.lsh".to_string(), 2, Box::new(shift_left))?;
    engine.add_extension("strings.count".to_string(), 2, Box::new(count))
}

/// Occurrences that do not overlap; regorus counts those that do, and panics on an empty search.
fn count(args: Vec<Value>) -> Result<Value> {
    let (Some(Value::String(text)), Some(Value::String(search))) = (args.first(), args.get(1)) else {
        bail!("strings.count: two strings are needed");
    };
    Ok(Value::from(text.matches(search.as_ref()).count()))
}

fn integers(args: &[Value]) -> Result<Vec<i64>> {
    args.iter().map(|value| value.as_i64()).collect()
}

fn range(args: Vec<Value>) -> Result<Value> {
    let numbers = integers(&args)?;
    let (Some(&from), Some(&to)) = (numbers.first(), numbers.get(1)) else {
        bail!("numbers.range: two integers are needed");
    };
    let step = numbers.get(2).copied().unwrap_or(1);
    if step <= 0 {
        bail!("numbers.range_step: step must be a positive integer");
    }
    let span = (i128::from(to) - i128::from(from)).abs();
    if span / i128::from(step) >= i128::from(ELEMENTS_MAX) {
        bail!("numbers.range: more than {ELEMENTS_MAX} elements");
    }
    let signed = if to >= from { i128::from(step) } else { -i128::from(step) };
    let count = span / i128::from(step);
    let mut values = Vec::new();
    for i in 0..=count {
        let value = i128::from(from) + i * signed;
        values.push(Value::from(i64::try_from(value)?));
    }
    Ok(Value::from(values))
}

/// Results beyond 64 bits, with or without a sign, are refused.
fn shift_left(args: Vec<Value>) -> Result<Value> {
    let numbers = integers(&args)?;
    let (Some(&value), Some(&by)) = (numbers.first(), numbers.get(1)) else {
        bail!("bits.lsh: two integers are needed");
    };
    if !(0..=SHIFT_MAX).contains(&by) {
        bail!("bits.lsh: a shift is 0 to {SHIFT_MAX}");
    }
    let shifted = i128::from(value) << by;
    i64::try_from(shifted).map(Value::from).or_else(|_| Ok(Value::from(u64::try_from(shifted)?)))
}
