//! Whom a worker knows: its functions by the names of their clusters, and by the authorities of their requests.

use std::collections::HashMap;
use std::rc::Rc;

use crate::fnv::BuildFnv;

/// Authorities that are remembered at most, until some function is forgotten: one for each of ten thousand functions,
/// and as many with a port. Clients choose them, and each takes a hundred bytes.
pub const MOST_HOSTS: usize = 20_000;

/// The longest authority that is remembered: a name of the DNS (253 bytes), a colon and a port.
pub const LONGEST_HOST: usize = 259;

/// The functions that a worker knows. By hash: among ten thousand in order each request would compare fourteen names. Both
/// by bytes: a map of another kind of key would cost the module 3 KB.
#[derive(Debug)]
pub struct Directory<F> {
    clusters: HashMap<Box<[u8]>, Rc<F>, BuildFnv>,
    hosts: HashMap<Box<[u8]>, Rc<F>, BuildFnv>,
}

impl<F> Default for Directory<F> {
    fn default() -> Self {
        Self { clusters: HashMap::default(), hosts: HashMap::default() }
    }
}

impl<F> Directory<F> {
    /// The function that an earlier request with this authority was for.
    #[must_use]
    pub fn at_host(&self, host: &[u8]) -> Option<Rc<F>> {
        self.hosts.get(host).cloned()
    }

    /// The function behind `cluster`.
    #[must_use]
    pub fn of_cluster(&self, cluster: &str) -> Option<Rc<F>> {
        self.clusters.get(cluster.as_bytes()).cloned()
    }

    /// `function` is behind `cluster`.
    pub fn add(&mut self, cluster: &str, function: Rc<F>) {
        self.clusters.insert(cluster.as_bytes().into(), function);
    }

    /// Requests with this authority are for `function`, if there is room to remember it.
    pub fn add_host(&mut self, host: &[u8], function: &Rc<F>) {
        if host.len() <= LONGEST_HOST && self.hosts.len() < MOST_HOSTS {
            self.hosts.insert(host.into(), function.clone());
        }
    }

    /// All functions, in any order.
    #[must_use]
    pub fn all(&self) -> Vec<Rc<F>> {
        self.clusters.values().cloned().collect()
    }

    /// Forgets the functions that are no longer in use, and by which authorities they were known.
    pub fn keep(&mut self, in_use: impl Fn(&F) -> bool) {
        let known = self.clusters.len();
        self.clusters.retain(|_, function| in_use(function));
        if self.clusters.len() < known {
            self.hosts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_cluster_and_by_authority() {
        let mut directory = Directory::default();
        let fib = Rc::new("fib");
        directory.add("cluster-of-fib", fib.clone());
        directory.add_host(b"fib.example.com:80", &fib);
        assert_eq!(directory.of_cluster("cluster-of-fib"), Some(fib.clone()));
        assert_eq!(directory.at_host(b"fib.example.com:80"), Some(fib.clone()));
        assert_eq!((directory.at_host(b"fib.example.com"), directory.of_cluster("fib")), (None, None));
        assert_eq!(directory.all(), [fib]);
    }

    #[test]
    fn a_function_that_is_forgotten_is_not_found_by_its_authority_either() {
        let mut directory = Directory::default();
        for name in ["fib", "primes"] {
            let function = Rc::new(name);
            directory.add(name, function.clone());
            directory.add_host(name.as_bytes(), &function);
        }
        directory.keep(|_| true);
        assert!(directory.at_host(b"fib").is_some());
        directory.keep(|name| *name == "primes");
        assert_eq!((directory.at_host(b"fib"), directory.of_cluster("fib")), (None, None));
        assert_eq!(directory.all(), [Rc::new("primes")]);
    }

    #[test]
    fn clients_can_fill_it_only_so_far() {
        let mut directory = Directory::default();
        let fib = Rc::new("fib");
        directory.add_host(&[b'x'; LONGEST_HOST + 1], &fib);
        (0..2 * MOST_HOSTS).for_each(|n| directory.add_host(format!("{n}.example.com").as_bytes(), &fib));
        assert_eq!(directory.hosts.len(), MOST_HOSTS);
        assert_eq!(directory.at_host(b"0.example.com"), Some(fib));
    }
}
