//! A request's body, as far as a function is willing to read.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::Body;

use crate::{Answer, answer};

/// The whole body, of at most so many bytes.
///
/// # Errors
/// It is longer, or breaks off: the answer says so.
pub async fn whole<B>(body: B, most: usize) -> Result<Bytes, Answer>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let text = format!("the body is longer than {most} bytes\n");
            Err(answer(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Err(error) => Err(answer(StatusCode::BAD_REQUEST, format!("the body can't be read: {error}\n"))),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn a_body_within_the_bound_is_read_and_a_longer_one_refused() {
        let body = |length| Full::new(Bytes::from(vec![b'x'; length]));
        assert_eq!(whole(body(8), 8).await.unwrap().len(), 8);
        let refused = whole(body(9), 8).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let text = refused.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, "the body is longer than 8 bytes\n");
    }
}
