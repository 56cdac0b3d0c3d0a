//! What the programs of a node are configured with.

use std::path::Path;

use serde_json::{Value, json};

use super::{Node, PAUSE_IMAGE};
use crate::cluster::cgroup;
use crate::cluster::network::{DNS_SERVICE, PODS, node_address, pods_of};

/// containerd 1.6's. Where the machine itself is a container, it may not lower what the kernel thinks of killing first.
pub(super) fn containerd(cni: &str) -> String {
    format!(
        r#"version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{cni}"
"#
    )
}

/// The network of the pods: a bridge on which a pod may also reach itself by way of a Service.
pub(super) fn cni(node: &Node) -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "bridge",
            "bridge": "pods0",
            "isGateway": true,
            "isDefaultGateway": true,
            "hairpinMode": true,
            "ipMasq": false,
            "ipam": { "type": "host-local", "ranges": [[{ "subnet": pods_of(node.number) }]] },
        }],
    })
}

/// The kubelet's. It tells of itself every 2 s, which is what makes a lost node known within the grace period that the
/// controller manager was given. Its pods' cgroups are below the machine's.
pub(super) fn kubelet(node: &Node, cluster: &str) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": { "anonymous": { "enabled": true }, "webhook": { "enabled": false } },
        "authorization": { "mode": "AlwaysAllow" },
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup::of_pods(cluster, &node.name),
        "cgroupsPerQOS": true,
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "cpuCFSQuota": false,
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "2s",
        "nodeLeaseDurationSeconds": 4,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
    })
}

/// kube-proxy's. What is sent to a Service seems to come from the node: pods have no way back that would lead over it.
/// Limits of connection tracking stay as they are, as they are the whole machine's.
pub(super) fn kube_proxy(node: &Node, kubeconfig: &Path) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": { "kubeconfig": kubeconfig },
        "clusterCIDR": PODS,
        "hostnameOverride": node.name,
        "bindAddress": node_address(node.number),
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {
            "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
        },
        "nftables": { "masqueradeAll": true, "syncPeriod": "30s", "minSyncPeriod": "100ms" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_share_no_addresses() {
        let nodes = Node::all(2);
        assert_eq!(
            nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(),
            ["system", "worker1", "worker2"]
        );
        let subnets =
            nodes.iter().map(|node| cni(node)["plugins"][0]["ipam"]["ranges"][0][0]["subnet"].clone());
        assert_eq!(subnets.collect::<Vec<_>>(), ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"]);
    }

    #[test]
    fn pods_are_in_the_cgroup_that_goes_with_the_cluster() {
        let kubelet = kubelet(&Node::all(1)[1], "e2e");
        assert_eq!(kubelet["cgroupRoot"], "/e2e/worker1/pods");
    }
}
