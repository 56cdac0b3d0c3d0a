//! `standby-service`: replicas of another service, which get requests where no own replica is well.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::error::Problem;
use super::replicas::Replicas;

/// The annotation's name.
pub(super) const KEY: &str = "standby-service";

/// What it may be in a functions file: here, nobody knows what a service is.
const EXPECTED: &str =
    "addresses with their ports such as 127.0.0.1:9201, or several with commas between them,";

/// Reads the annotation's value.
pub(super) fn parse(text: &str, replicas: &Replicas) -> Result<Vec<SocketAddr>, Problem> {
    let Replicas::Addresses(own) = replicas else {
        let expected = "to leave it out where `replicas` are a DNS name";
        return Err(Problem::wrong_text(KEY, text, expected));
    };
    let mut seen: BTreeSet<SocketAddr> = own.iter().copied().collect();
    let entry = |entry: &str| entry.trim().parse().ok().filter(|address: &SocketAddr| address.port() != 0);
    let standby: Option<Vec<SocketAddr>> = text.split(',').map(entry).collect();
    let standby = standby.ok_or_else(|| Problem::wrong_text(KEY, text, EXPECTED))?;
    match standby.iter().find(|address| !seen.insert(**address)) {
        Some(twice) => Err(Problem::ReplicaTwice { replica: twice.to_string() }),
        None => Ok(standby),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Replicas {
        Replicas::Addresses(vec!["127.0.0.1:1".parse().unwrap()])
    }

    #[test]
    fn each_is_an_address_of_its_own() {
        assert_eq!(parse("127.0.0.1:2, [::1]:3", &own()).unwrap().len(), 2);
        for wrong in
            ["", "fib.local:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:2,", "127.0.0.1:1", "[::1]:1,[::1]:1"]
        {
            assert!(parse(wrong, &own()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn beside_a_name_there_is_no_room_for_addresses() {
        let error = parse("127.0.0.1:2", &Replicas::Names(Vec::new())).unwrap_err().to_string();
        assert_eq!(
            error,
            "`standby-service` is `127.0.0.1:2`: to leave it out where `replicas` are a DNS name would be right"
        );
    }
}
