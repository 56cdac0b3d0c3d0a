//! Which sets there are, and how each is built.

/// The programs of one Go module.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// Its folder in `e2e/tools`.
    pub name: &'static str,
    /// What is built: the module's `tool` entries, or a main package of its own.
    pub package: &'static str,
    /// Values that are linked into the programs.
    pub linked: &'static [(&'static str, &'static str)],
    /// Programs that are named after something else than what they are: built as, kept as.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Files of a Go module that are needed beside the programs: module, path in it, kept as. Of a folder, all YAML
    /// files are kept as one.
    pub files: &'static [(&'static str, &'static str, &'static str)],
}

/// All sets there are.
pub const ALL: [&Set; 5] = [&ETCD, &KUBERNETES, &COREDNS, &ISTIO, &KNATIVE];

/// All `tool` entries of the module.
const TOOLS: &str = "tool";

/// Without a version the API server calls itself `v0.0.0-master+$Format:%H$`, which Knative refuses.
const KUBERNETES_VERSION: &[(&str, &str)] = &[
    ("k8s.io/component-base/version.gitVersion", "v1.34.4"),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", "34"),
    ("k8s.io/component-base/version.gitCommit", "unknown"),
    ("k8s.io/component-base/version.gitTreeState", "clean"),
    ("k8s.io/component-base/version.buildDate", "1970-01-01T00:00:00Z"),
];

const PLAIN: Set = Set { name: "", package: TOOLS, linked: &[], renamed: &[], files: &[] };

/// `etcd`: 3.6, as the API server's watch cache needs its progress notices, which Debian's 3.4 doesn't send.
pub const ETCD: Set = Set { name: "etcd", renamed: &[("server", "etcd")], ..PLAIN };

/// `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kube-proxy`, `kubelet`, `kubectl`.
pub const KUBERNETES: Set = Set { name: "kubernetes", linked: KUBERNETES_VERSION, ..PLAIN };

/// `coredns`, with only the plugins that a cluster needs.
pub const COREDNS: Set = Set { name: "coredns", package: ".", ..PLAIN };

/// `pilot-discovery` (istiod) and `pilot-agent`; Istio's CRDs, its proxies' bootstrap, what its chart injects.
pub const ISTIO: Set = Set {
    name: "istio",
    files: &[
        ("istio.io/istio", "manifests/charts/base/files/crd-all.gen.yaml", "crds.yaml"),
        ("istio.io/istio", "tools/packaging/common/envoy_bootstrap.json", "envoy_bootstrap.json"),
        (
            "istio.io/istio",
            "manifests/charts/istio-control/istio-discovery/files/injection-template.yaml",
            "injection-template.yaml",
        ),
        ("istio.io/istio", "manifests/charts/istio-control/istio-discovery/values.yaml", "values.yaml"),
    ],
    ..PLAIN
};

/// The pods of Knative Serving's own, its queue-proxy, and its YAML. That of `networking` and `caching` is in modules of
/// their own, to which Serving has links that modules can't hold. Without HPAs, which nothing here could feed.
pub const KNATIVE: Set = Set {
    name: "knative",
    files: &[
        ("knative.dev/serving", "config/core/100-namespace.yaml", "namespace.yaml"),
        ("knative.dev/serving", "config/core/300-resources", "serving-crds.yaml"),
        ("knative.dev/networking", "config/certificate.yaml", "certificate-crd.yaml"),
        ("knative.dev/networking", "config/domain-claim.yaml", "domain-claim-crd.yaml"),
        ("knative.dev/networking", "config/ingress.yaml", "ingress-crd.yaml"),
        ("knative.dev/networking", "config/serverlessservice.yaml", "serverlessservice-crd.yaml"),
        ("knative.dev/caching", "config/image.yaml", "image-crd.yaml"),
        ("knative.dev/serving", "config/core/200-serviceaccount.yaml", "accounts.yaml"),
        ("knative.dev/serving", "config/core/200-roles", "roles.yaml"),
        ("knative.dev/serving", "config/core/configmaps", "config.yaml"),
        ("knative.dev/networking", "config/config-network.yaml", "config-network.yaml"),
        ("knative.dev/serving", "config/core/deployments/activator.yaml", "activator.yaml"),
        ("knative.dev/serving", "config/core/deployments/autoscaler.yaml", "autoscaler.yaml"),
        ("knative.dev/serving", "config/core/deployments/controller.yaml", "controller.yaml"),
        ("knative.dev/serving", "config/core/deployments/webhook.yaml", "webhook.yaml"),
        ("knative.dev/serving", "config/core/999-cache.yaml", "queue-image.yaml"),
        ("knative.dev/serving", "config/core/webhooks/secret.yaml", "webhook-secret.yaml"),
        (
            "knative.dev/serving",
            "config/core/webhooks/configmap-validation.yaml",
            "configmap-validation.yaml",
        ),
        ("knative.dev/serving", "config/core/webhooks/defaulting.yaml", "defaulting.yaml"),
        ("knative.dev/serving", "config/core/webhooks/resource-validation.yaml", "resource-validation.yaml"),
    ],
    ..PLAIN
};
