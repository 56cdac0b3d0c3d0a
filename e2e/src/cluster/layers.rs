//! What a cluster may have on top of Kubernetes, and what each of it rests on.

use clap::ValueEnum;

use super::running::Running;
use super::{istio, knative, openfaas, redis, sidecars, steadfaas};

/// Something on top of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Layer {
    /// istiod and an ingress gateway
    Istio,
    /// Sidecars for pods that ask for one; rests on istio
    Sidecars,
    /// Knative Serving, with a stand-in for net-istio; rests on istio
    Knative,
    /// OpenFaaS' namespaces, with a stand-in for its gateway; rests on istio
    Openfaas,
    /// steadfaas itself: the filter and its controller; rests on istio
    Steadfaas,
    /// A Redis, for functions that keep something
    Redis,
}

impl Layer {
    /// Puts it on a cluster, unless it is there.
    ///
    /// # Errors
    /// Something is missing or doesn't start.
    pub fn put_on(self, running: &Running) -> anyhow::Result<()> {
        match self {
            Self::Istio => istio::add(running),
            Self::Sidecars => sidecars::add(running),
            Self::Knative => knative::add(running),
            Self::Openfaas => openfaas::add(running),
            Self::Steadfaas => steadfaas::add(running),
            Self::Redis => redis::add(running),
        }
    }

    /// What there is now and how it is reached, in a few words.
    ///
    /// # Errors
    /// It isn't there.
    pub fn reached(self, running: &Running) -> anyhow::Result<String> {
        Ok(match self {
            Self::Istio => {
                format!("with Istio, whose gateway is {} on the machine `control`", istio::gateway(running)?)
            }
            Self::Steadfaas => "with steadfaas".to_owned(),
            Self::Redis => format!("with Redis, which pods find as {}", redis::HOST),
            Self::Sidecars => "with sidecars for pods that ask for one".to_owned(),
            Self::Openfaas => {
                format!("with a stand-in for OpenFaaS, whose gateway is {} there", openfaas::HOST)
            }
            Self::Knative => {
                format!("with Knative, whose services are <name>.<namespace>.{} there", knative::DOMAIN)
            }
        })
    }

    /// What it rests on.
    fn below(self) -> Option<Self> {
        match self {
            Self::Istio | Self::Redis => None,
            Self::Sidecars | Self::Knative | Self::Openfaas | Self::Steadfaas => Some(Self::Istio),
        }
    }
}

/// Puts these on a cluster and what they rest on, from the bottom up.
///
/// # Errors
/// Something is missing or doesn't start.
pub fn add(running: &Running, layers: &[Layer]) -> anyhow::Result<()> {
    whole(layers).into_iter().try_for_each(|layer| layer.put_on(running))
}

/// With what they rest on, each once, in the order in which they are put on.
#[must_use]
pub fn whole(layers: &[Layer]) -> Vec<Layer> {
    let mut whole: Vec<Layer> =
        layers.iter().copied().chain(layers.iter().filter_map(|layer| layer.below())).collect();
    whole.sort_unstable();
    whole.dedup();
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_layer_rests_on_comes_first_and_once() {
        assert_eq!(whole(&[Layer::Knative]), [Layer::Istio, Layer::Knative]);
        assert_eq!(whole(&[Layer::Knative, Layer::Istio]), [Layer::Istio, Layer::Knative]);
        assert_eq!(whole(&[Layer::Redis]), [Layer::Redis]);
        assert_eq!(whole(&[]), []);
    }
}
