//! A filter's text to its meaning.

use std::iter::Peekable;
use std::str::CharIndices;

use super::Expression;

/// Longer ones are refused: <https://cloud.google.com/pubsub/quotas#resource_limits>. It also
/// bounds how deep an expression can nest.
pub(in crate::pubsub) const BYTES_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    /// One of `( ) , . : = -`.
    Sign(char),
    Unequal,
    End,
}

/// Reads a filter that is not empty.
///
/// # Errors
/// What is wrong, and at which byte.
pub(in crate::pubsub) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("it must not be longer than {BYTES_MAX} bytes"));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
    };
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected("AND, OR or the end")),
    }
}

struct Parser {
    /// With the bytes at which they begin; the last is the end.
    tokens: Vec<(usize, Token)>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(_, token)| token)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn unexpected(&self, wanted: &str) -> String {
        let at = self.tokens.get(self.next).or(self.tokens.last());
        let at = at.map_or(0, |(at, _)| *at);
        format!("at byte {at}, {wanted} was expected")
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    /// Terms joined by one kind of operator: a mixture must say by parentheses what it means.
    fn expression(&mut self) -> Result<Expression, String> {
        let mut terms = vec![self.term()?];
        let operator = ["AND", "OR"].into_iter().find(|word| self.is_word(word));
        let Some(operator) = operator else {
            return terms.pop().ok_or_else(|| self.unexpected("a condition"));
        };
        while self.is_word(operator) {
            self.next += 1;
            terms.push(self.term()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return Err(self.unexpected("no mixture of AND and OR without parentheses"));
        }
        Ok(if operator == "AND" {
            Expression::All(terms)
        } else {
            Expression::Any(terms)
        })
    }

    fn term(&mut self) -> Result<Expression, String> {
        if self.is_word("NOT") || *self.peek() == Token::Sign('-') {
            self.next += 1;
            return Ok(Expression::Not(Box::new(self.term()?)));
        }
        if *self.peek() == Token::Sign('(') {
            self.next += 1;
            let inner = self.expression()?;
            self.sign(')')?;
            return Ok(inner);
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<Expression, String> {
        if self.is_word("hasPrefix") {
            self.next += 1;
            self.sign('(')?;
            self.attributes()?;
            self.sign('.')?;
            let key = self.key()?;
            self.sign(',')?;
            let start = self.text()?;
            self.sign(')')?;
            return Ok(Expression::Starts(key, start));
        }
        self.attributes()?;
        if *self.peek() == Token::Sign(':') {
            self.next += 1;
            return Ok(Expression::Has(self.key()?));
        }
        self.sign('.')?;
        let key = self.key()?;
        match self.take() {
            Token::Sign('=') => Ok(Expression::Is(key, self.text()?)),
            Token::Unequal => {
                let is = Expression::Is(key, self.text()?);
                Ok(Expression::Not(Box::new(is)))
            }
            _ => {
                self.next -= 1;
                Err(self.unexpected("= or !="))
            }
        }
    }

    fn attributes(&mut self) -> Result<(), String> {
        if !self.is_word("attributes") {
            return Err(self.unexpected("`attributes`, `hasPrefix`, NOT or ("));
        }
        self.next += 1;
        Ok(())
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        if *self.peek() != Token::Sign(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.next += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<String, String> {
        match self.peek().clone() {
            Token::Word(key) | Token::Text(key) if !key.is_empty() => {
                self.next += 1;
                Ok(key)
            }
            _ => Err(self.unexpected("an attribute's key")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.peek().clone() {
            Token::Text(text) => {
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.unexpected("a text in quotation marks")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let token = match letter {
            ' ' | '\t' | '\r' | '\n' => continue,
            '(' | ')' | ',' | '.' | ':' | '=' | '-' => Token::Sign(letter),
            '!' if letters.next_if(|(_, next)| *next == '=').is_some() => Token::Unequal,
            '"' => Token::Text(quoted(at, &mut letters)?),
            letter if in_word(letter) => {
                let mut word = String::from(letter);
                while let Some((_, next)) =
                    letters.next_if(|(_, next)| in_word(*next) || *next == '-')
                {
                    word.push(next);
                }
                Token::Word(word)
            }
            _ => return Err(format!("at byte {at}, {letter:?} means nothing")),
        };
        tokens.push((at, token));
    }
    tokens.push((text.len(), Token::End));
    Ok(tokens)
}

fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

type Letters<'a> = Peekable<CharIndices<'a>>;

/// The rest of a text in quotation marks.
fn quoted(start: usize, letters: &mut Letters<'_>) -> Result<String, String> {
    let mut text = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok(text),
            '\\' => text.push(
                escaped(letters)
                    .ok_or_else(|| format!("at byte {at}, the escape sequence means nothing"))?,
            ),
            letter => text.push(letter),
        }
    }
    Err(format!("the text that begins at byte {start} has no end"))
}

fn escaped(letters: &mut Letters<'_>) -> Option<char> {
    let (_, letter) = letters.next()?;
    Some(match letter {
        '\\' | '"' | '\'' | '`' | '?' => letter,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' | 'X' => number(letters, 16, 2, 0)?,
        'u' => number(letters, 16, 4, 0)?,
        'U' => number(letters, 16, 8, 0)?,
        '0'..='3' => number(letters, 8, 2, letter.to_digit(8)?)?,
        _ => return None,
    })
}

/// The character of this many more digits.
fn number(letters: &mut Letters<'_>, radix: u32, digits: u32, begun: u32) -> Option<char> {
    let mut number = begun;
    for _ in 0..digits {
        let digit = letters.next()?.1.to_digit(radix)?;
        number = number.checked_mul(radix)?.checked_add(digit)?;
    }
    char::from_u32(number)
}
