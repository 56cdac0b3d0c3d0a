//! `steadfaas.dev/route: gateway`: what OpenFaaS' gateway is called for is led to the function's Service instead, for that
//! gateway sends to pods past the mesh, where nothing protects them.

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use thiserror::Error;

use super::upstream::full_name;
use super::{Function, Platform, ROUTE};

/// What [`ROUTE`] may say.
pub const BY_GATEWAY: &str = "gateway";

/// What OpenFaaS calls its gateway's Service.
const GATEWAY: &str = "gateway";

/// What OpenFaaS adds to its own namespace's name where it has functions.
const FUNCTIONS: &str = "-fn";

/// Why there can't be the route that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// It says something else.
    #[error("`route` is `{value}`: only `{BY_GATEWAY}` would be right, for functions of OpenFaaS")]
    Unknown {
        /// What it says.
        value: String,
    },
    /// No gateway of OpenFaaS leads to the function.
    #[error(
        "`route` is `{BY_GATEWAY}`: only functions of OpenFaaS can have it, and this one is of {platform}"
    )]
    NoFunctionOfOpenFaas {
        /// Whose it is.
        platform: Platform,
    },
    /// The namespace doesn't tell where the gateway is.
    #[error(
        "`route` is `{BY_GATEWAY}`: only in a namespace such as openfaas{FUNCTIONS}, whose gateway is in openfaas, and not in {namespace}"
    )]
    NoGatewayOfNamespace {
        /// The function's namespace.
        namespace: String,
    },
}

/// The gateway of OpenFaaS that functions of a namespace are called through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFaasGateway {
    /// Its Service's namespace.
    pub namespace: String,
}

impl OpenFaasGateway {
    /// That of functions in this namespace: of `openfaas-fn` it is in `openfaas`.
    #[must_use]
    pub fn of(functions: &str) -> Option<Self> {
        let namespace = functions.strip_suffix(FUNCTIONS).filter(|namespace| !namespace.is_empty())?;
        Some(Self { namespace: namespace.to_owned() })
    }

    /// Its Service's full name in DNS.
    #[must_use]
    pub fn host(&self, domain: &str) -> String {
        full_name(GATEWAY, &self.namespace, domain)
    }

    /// As messages call it: `gateway.openfaas`.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{GATEWAY}.{}", self.namespace)
    }

    /// Whether this is its Service.
    #[must_use]
    pub fn is(&self, service: &Service) -> bool {
        service.name_any() == GATEWAY && service.namespace().as_ref() == Some(&self.namespace)
    }
}

impl Function {
    /// The gateway that is to be led past, where that is asked for.
    ///
    /// # Errors
    /// It can't be.
    pub fn route(&self) -> Result<Option<OpenFaasGateway>, RouteError> {
        self.annotations.get(ROUTE).map(|value| self.route_by(value)).transpose()
    }

    /// The gateway that is led past if [`ROUTE`] says this.
    ///
    /// # Errors
    /// It can't be.
    pub fn route_by(&self, value: &str) -> Result<OpenFaasGateway, RouteError> {
        if value != BY_GATEWAY {
            return Err(RouteError::Unknown { value: value.to_owned() });
        }
        if self.platform != Platform::OpenFaas {
            return Err(RouteError::NoFunctionOfOpenFaas { platform: self.platform });
        }
        let namespace = || self.namespace.clone();
        OpenFaasGateway::of(&self.namespace)
            .ok_or_else(|| RouteError::NoGatewayOfNamespace { namespace: namespace() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::fixtures::routed;

    fn refused(change: fn(&mut Function)) -> String {
        let mut function = routed("fib");
        change(&mut function);
        function.route().unwrap_err().to_string()
    }

    #[test]
    fn a_function_of_openfaas_is_led_to_past_the_gateway_beside_its_namespace() {
        let gateway = routed("fib").route().unwrap().unwrap();
        assert_eq!(gateway.host("cluster.local"), "gateway.openfaas.svc.cluster.local");
        let mut silent = routed("fib");
        silent.annotations.remove(ROUTE);
        assert_eq!(silent.route(), Ok(None));
    }

    #[test]
    fn anything_else_is_refused_saying_what_would_be_right() {
        let other =
            refused(|function| drop(function.annotations.insert(ROUTE.to_owned(), "mesh".to_owned())));
        assert_eq!(other, "`route` is `mesh`: only `gateway` would be right, for functions of OpenFaaS");
        let plain = refused(|function| function.platform = Platform::Plain);
        assert_eq!(
            plain,
            "`route` is `gateway`: only functions of OpenFaaS can have it, and this one is of Kubernetes"
        );
        let elsewhere = refused(|function| function.namespace = "functions".to_owned());
        assert!(
            elsewhere.ends_with("such as openfaas-fn, whose gateway is in openfaas, and not in functions")
        );
    }
}
