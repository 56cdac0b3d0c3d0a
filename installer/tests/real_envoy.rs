//! What real Envoys say to the bootstrap: the newest and the oldest that are supported take it without a warning,
//! and serve by it.

// Helpers may panic as the tests do: that is how tests fail.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use steadfaas::standalone::{FunctionsFile, Options, render};
use tempfile::TempDir;
use xtask::envoy;

/// Every field that a functions file has.
const EVERYTHING: &str = "functions:
- name: fib
  replicas: [127.0.0.1:9101, 127.0.0.1:9102]
  host: fib.example.com
  strategy: active-standby
  probe: http:/healthz@200ms
  idempotent: true
- name: greeter
  replicas: [greeter.localhost:8080, greeter2.localhost:8080]
  host: '*.example.com'
  protocol: http2
  strategy: request-replication
  tolerate: 2
  probe: http:/healthz
- name: store/v6
  replicas: ['[::1]:9101']
  strategy: retry
  probe: tcp@1s
  hedge-after: 25ms
";

/// Starting takes 0.5 s; the rest is for a machine that compiles meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

fn both() -> [(&'static str, PathBuf); 2] {
    [envoy::OLDEST, envoy::NEWEST].map(|version| (version, envoy::ensure(version).unwrap()))
}

fn bootstrap_file(folder: &TempDir, functions: &str, options: &Options) -> PathBuf {
    let file = FunctionsFile::parse(functions, "functions.yaml").unwrap();
    let path = folder.path().join("envoy.json");
    let json = File::create(&path).unwrap();
    serde_json::to_writer(json, &render(&file, options).unwrap()).unwrap();
    path
}

#[test]
fn each_supported_envoy_takes_the_bootstrap_without_a_warning() {
    for (version, envoy) in both() {
        let folder = TempDir::new().unwrap();
        for response_header in [false, true] {
            let envoy_version = version.parse().unwrap();
            let options = Options { envoy_version, response_header, ..Options::default() };
            let path = bootstrap_file(&folder, EVERYTHING, &options);
            let mut command = Command::new(&envoy);
            command.args(["--mode", "validate", "-l", "warn", "--use-dynamic-base-id", "-c"]).arg(path);
            let output = command.output().unwrap();
            let log = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "Envoy {version}: {log}");
            assert!(!log.contains("[warning]"), "Envoy {version}: {log}");
        }
    }
}

#[test]
fn what_is_made_for_the_oldest_envoy_the_newest_takes_too() {
    let folder = TempDir::new().unwrap();
    let path = bootstrap_file(&folder, EVERYTHING, &Options::default());
    let mut command = Command::new(envoy::ensure(envoy::NEWEST).unwrap());
    let output =
        command.args(["--mode", "validate", "--use-dynamic-base-id", "-c"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An Envoy that serves; it ends with this value.
struct Envoy {
    child: Child,
    listen: SocketAddr,
    _folder: TempDir,
}

impl Envoy {
    fn serve(version: &str, binary: &PathBuf, replicas: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let [listen, admin] = [free_port(), free_port()];
        let envoy_version = version.parse().unwrap();
        let options = Options { listen, admin, envoy_version, ..Options::default() };
        let functions = format!("functions: [{{name: fib, strategy: retry, replicas: {replicas}}}]");
        let path = bootstrap_file(&folder, &functions, &options);
        let mut command = Command::new(binary);
        command.args(["-l", "warn", "--use-dynamic-base-id", "--concurrency", "1", "-c"]).arg(path);
        // Envoy keeps its access log for 10 s otherwise.
        command.args(["--file-flush-interval-msec", "50"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let envoy = Self { child, listen, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(admin).is_err() || !exchange(admin, "GET /ready").contains("LIVE") {
            assert!(started.elapsed() < PATIENCE, "Envoy {version} doesn't come up");
            thread::sleep(Duration::from_millis(20));
        }
        envoy
    }

    fn ask(&self, request: &str) -> String {
        exchange(self.listen, request)
    }

    /// The access log's lines: there are as many as there were requests.
    fn log(&mut self, requests: usize) -> Vec<Value> {
        let stdout = self.child.stdout.take().unwrap();
        let lines = BufReader::new(stdout).lines().take(requests);
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Sends `request`, a request line and headers of one HTTP/1.1 request, and reads the whole answer.
fn exchange(to: SocketAddr, request: &str) -> String {
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let text = format!("{line} HTTP/1.1\nhost: fib\nconnection: close\n{headers}\n\n");
    stream.write_all(text.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A connection that Envoy resets after its answer is an answer all the same.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// A replica that answers each request with `status` and, as body, the request's head; it serves until the test ends.
fn replica(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_all(stream, status));
        }
    });
    address
}

fn answer_all(stream: TcpStream, status: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.len();
        if write!(writer, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{head}").is_err() {
            return;
        }
    }
}

#[test]
fn a_client_on_loopback_cannot_ask_for_retries_or_name_a_replica() {
    let headers = "x-envoy-retry-on: 5xx\nx-envoy-max-retries: 9\nx-envoy-upstream-rq-per-try-timeout-ms: 1";
    for (version, binary) in both() {
        let [first, second] = [replica("500 No"), replica("500 No")];
        let mut envoy = Envoy::serve(version, &binary, &format!("['{first}', '{second}']"));
        for _ in 0..4 {
            let answer = envoy.ask(&format!("GET /\n{headers}\nx-envoy-retriable-status-codes: {first}"));
            assert!(!answer.contains("x-envoy-retr"), "Envoy {version}: {answer}");
        }
        let log = envoy.log(4);
        assert!(log.iter().all(|line| line["attempts"] == 1), "Envoy {version}: {log:?}");
        let chosen: Vec<_> = log.iter().filter(|line| line["replica"] == first.to_string()).collect();
        assert!(chosen.len() < 4, "Envoy {version}: the client chose the replica: {log:?}");
    }
}

#[test]
fn when_all_replicas_are_down_the_503_names_the_function_and_says_so() {
    for (version, binary) in both() {
        let mut envoy = Envoy::serve(version, &binary, &format!("['{}', '{}']", free_port(), free_port()));
        let answer = envoy.ask("GET /");
        assert!(answer.starts_with("HTTP/1.1 503 "), "Envoy {version}: {answer}");
        assert!(answer.contains("function fib: none of its replicas answered"), "Envoy {version}: {answer}");
        let grpc = envoy.ask("POST /fib.Fib/Get\ncontent-type: application/grpc\ncontent-length: 0");
        assert!(
            grpc.starts_with("HTTP/1.1 200 ") && grpc.contains("grpc-status: 14"),
            "Envoy {version}: {grpc}"
        );
        let log = envoy.log(2);
        assert_eq!(log[0]["flags"], "URX,UF", "Envoy {version}: {log:?}");
        assert_eq!(log[0]["function"], "fib");
    }
}

#[test]
fn a_function_whose_name_nobody_resolves_is_named_too() {
    for (version, binary) in both() {
        let envoy = Envoy::serve(version, &binary, "nobody.invalid:80");
        let answer = envoy.ask("GET /");
        assert!(answer.contains("function fib: none of its replicas answered"), "Envoy {version}: {answer}");
    }
}
