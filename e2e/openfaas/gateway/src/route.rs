//! Which function a path means, and what of it the function gets to see.

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `/function/<name>[.<namespace>]/<rest>`
    Function {
        /// As it was written: messages name it so.
        written: &'a str,
        /// Its name alone.
        name: &'a str,
        /// Its namespace, where one was written.
        namespace: Option<&'a str>,
        /// What the function gets as its path.
        rest: &'a str,
    },
    /// `/async-function/…`
    Asynchronous,
    /// `/healthz`
    Health,
    /// Anything else.
    Unknown,
}

pub(crate) fn parse(path: &str) -> Route<'_> {
    if path == "/healthz" {
        return Route::Health;
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.starts_with("async-function/") {
        return Route::Asynchronous;
    }
    let Some(rest) = path.strip_prefix("function/") else { return Route::Unknown };
    let written = rest.split('/').next().unwrap_or_default();
    let rest = rest.strip_prefix(written).filter(|rest| !rest.is_empty()).unwrap_or("/");
    if written.is_empty() {
        return Route::Unknown;
    }
    // The last dot parts name and namespace.
    let (name, namespace) = match written.rsplit_once('.') {
        Some((name, namespace)) => (name, Some(namespace)),
        None => (written, None),
    };
    Route::Function { written, name, namespace, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_cut_and_the_rest_stays() {
        let fib = |written, namespace, rest| Route::Function { written, name: "fib", namespace, rest };
        assert_eq!(parse("/function/fib"), fib("fib", None, "/"));
        assert_eq!(parse("/function/fib/a/b"), fib("fib", None, "/a/b"));
        assert_eq!(parse("/function/fib.other/"), fib("fib.other", Some("other"), "/"));
    }

    #[test]
    fn other_paths_are_no_functions() {
        assert_eq!(parse("/function/"), Route::Unknown);
        assert_eq!(parse("/functions/fib"), Route::Unknown);
        assert_eq!(parse("/async-function/fib"), Route::Asynchronous);
        assert_eq!(parse("/healthz"), Route::Health);
    }
}
