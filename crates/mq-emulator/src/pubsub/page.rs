//! Pages of a listing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;

/// How many resources a page has when the caller leaves it open, and how many at most.
const SIZE_DEFAULT: usize = 100;
const SIZE_MAX: usize = 1_000;

/// Which page a caller wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) size: usize,
    /// The last name of the page before; empty for the first.
    pub(super) after: String,
}

impl Page {
    /// The page that a request's `page_size` and `page_token` mean.
    pub(super) fn parse(size: i32, token: &str) -> Result<Self, Status> {
        let size = usize::try_from(size).map_err(|_| {
            Status::invalid_argument(format!("page_size must not be negative; it is {size}"))
        })?;
        let size = if size == 0 {
            SIZE_DEFAULT
        } else {
            size.min(SIZE_MAX)
        };
        let after = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|name| String::from_utf8(name).ok());
        let after = after.ok_or_else(|| {
            Status::invalid_argument("page_token is not one that this service gave out")
        })?;
        Ok(Page { size, after })
    }

    /// The token of the page after the one that ends with this name.
    pub(super) fn token_after(name: &str) -> String {
        URL_SAFE_NO_PAD.encode(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_tokens() {
        assert_eq!(
            Page::parse(0, "").unwrap(),
            Page {
                size: SIZE_DEFAULT,
                after: String::new()
            }
        );
        assert_eq!(Page::parse(5_000, "").unwrap().size, SIZE_MAX);
        assert_eq!(
            Page::parse(7, &Page::token_after("orders~+%")).unwrap(),
            Page {
                size: 7,
                after: "orders~+%".to_owned()
            }
        );
        for (size, token) in [(-1, ""), (i32::MIN, ""), (1, "§"), (1, "_-"), (1, "a")] {
            assert_eq!(
                Page::parse(size, token).unwrap_err().code(),
                tonic::Code::InvalidArgument,
                "{size} {token}"
            );
        }
    }
}
