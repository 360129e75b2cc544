//! Numbers in hexadecimal, without the machinery of formatting: every request writes some.

/// Appends a number without leading zeros.
pub(crate) fn append_hex(number: u64, to: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        to.push(char::from(DIGITS[(number >> (4 * place) & 0xf) as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_library_would() {
        for number in [0, 1, 9, 10, 15, 16, 255, 256, 0xdead_beef, u64::MAX - 1, u64::MAX] {
            let mut text = String::new();
            append_hex(number, &mut text);
            assert_eq!(text, format!("{number:x}"));
        }
    }
}
