//! The control plane: etcd, API server, controller manager and scheduler on a machine of their own.

pub(super) mod programs;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use p256::SecretKey;
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::json;

use super::kubectl::Kubectl;
use super::machine::{Machine, Program};
use super::network::{self, CONTROL, SERVICES};
use super::record::Records;

/// The name of its machine.
pub const NAME: &str = "control";

const ETCD: &str = "http://127.0.0.1:2379";

/// The API server answers some 4 s after its start; the rest is for a machine that does other things too.
const READY_PATIENCE: Duration = Duration::from_secs(90);

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// After so long without a sign a node is said to be not ready. Kubernetes' default is 50 s; with this one a test of a
/// lost node takes seconds, and what Kubernetes does then is the same.
const NODE_GRACE: &str = "8s";

/// Starts etcd and the API server, and says how it is reached.
///
/// # Errors
/// Something can't be started.
pub fn start_api(control: &Machine, records: &Records, etcd: &Path, kubernetes: &Path) -> anyhow::Result<()> {
    network::set_up_control(control)?;
    let token = token()?;
    fs::write(control.folder().join("tokens.csv"), format!("{token},admin,admin,system:masters\n"))?;
    write_account_keys(control)?;
    let path = |name: &str| control.folder().join(name).to_string_lossy().into_owned();
    let peers = "http://127.0.0.1:2380";
    // What is lost with the machine's power is lost with the whole cluster: nothing needs to be safe on disk.
    let etcd = Program::new("etcd", etcd.join("etcd")).args([
        "--unsafe-no-fsync".to_owned(),
        format!("--data-dir={}", path("etcd")),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        format!("--listen-peer-urls={peers}"),
    ]);
    control.start_program(&etcd, records)?;
    let api = Program::new("kube-apiserver", kubernetes.join("kube-apiserver")).args([
        format!("--etcd-servers={ETCD}"),
        format!("--advertise-address={CONTROL}"),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--secure-port=443".to_owned(),
        format!("--cert-dir={}", path("certificates")),
        format!("--service-account-key-file={}", path("accounts-public.pem")),
        format!("--service-account-signing-key-file={}", path("accounts.pem")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--token-auth-file={}", path("tokens.csv")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Nodes' names are no names of any DNS server.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        // Webhooks are called at their pods' addresses: there is no kube-proxy on this machine.
        "--enable-aggregator-routing=true".to_owned(),
    ]);
    control.start_program(&api, records)?;
    write_kubeconfig(control, records, &token)
}

/// Waits for the API server and starts what works through it.
///
/// # Errors
/// It doesn't get ready.
pub fn start_controllers(control: &Machine, records: &Records, kubectl: &Kubectl) -> anyhow::Result<()> {
    let began = Instant::now();
    while kubectl.run(&["get", "--raw", "/readyz"]).is_err() {
        let (after, log) = (began.elapsed(), control.log("kube-apiserver"));
        let runs = after < READY_PATIENCE && records.runs(control.name(), "kube-apiserver");
        anyhow::ensure!(
            runs,
            "no API server after {:.0} s; its log is {}",
            after.as_secs_f64(),
            log.display()
        );
        std::thread::sleep(ASK_EVERY);
    }
    let path = |name: &str| control.folder().join(name).to_string_lossy().into_owned();
    let kubeconfig = format!("--kubeconfig={}", records.folder().kubeconfig().display());
    let manager = Program::new("kube-controller-manager", kubectl.sibling("kube-controller-manager")).args([
        kubeconfig.as_str(),
        &format!("--service-account-private-key-file={}", path("accounts.pem")),
        &format!("--root-ca-file={}", path("certificates/apiserver.crt")),
        &format!("--cert-dir={}", path("certificates")),
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--node-monitor-period=1s",
        &format!("--node-monitor-grace-period={NODE_GRACE}"),
    ]);
    control.start_program(&manager, records)?;
    let scheduler = Program::new("kube-scheduler", kubectl.sibling("kube-scheduler"))
        .args([kubeconfig.as_str(), "--leader-elect=false"]);
    control.start_program(&scheduler, records)
}

/// The administrator's way to the API server; the nodes take it too.
fn write_kubeconfig(control: &Machine, records: &Records, token: &str) -> anyhow::Result<()> {
    let certificate = control.folder().join("certificates/apiserver.crt");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "steadfaas", "cluster": {
            "server": format!("https://{CONTROL}:443"),
            "certificate-authority": certificate,
        } }],
        "users": [{ "name": "admin", "user": { "token": token } }],
        "contexts": [{ "name": "steadfaas", "context": { "cluster": "steadfaas", "user": "admin" } }],
        "current-context": "steadfaas",
    });
    let path = records.folder().kubeconfig();
    fs::write(&path, config.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

/// The pair of keys by which service accounts are known.
fn write_account_keys(control: &Machine) -> anyhow::Result<()> {
    let key = SecretKey::random(&mut OsRng);
    fs::write(control.folder().join("accounts.pem"), key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
    let public = key.public_key().to_public_key_pem(LineEnding::LF)?;
    Ok(fs::write(control.folder().join("accounts-public.pem"), public)?)
}

/// A secret of this cluster.
fn token() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}
