//! Chromium without a window, told what to do through its `DevTools` protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long it may take to answer. It is slow to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Where Chromium is, or why there is none.
pub(crate) fn find() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("MQ_CHROMIUM") {
        let named = PathBuf::from(named);
        let there = named.is_file();
        return there
            .then_some(named)
            .ok_or_else(|| "MQ_CHROMIUM names no file".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file())
        .ok_or_else(|| "Chromium is not installed (Debian's package is `chromium`)".to_owned())
}

/// A browser with one empty tab.
pub(crate) struct Browser {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    tab: Option<String>,
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it so that everything that its tab asks of the network goes to this port. What the
    /// browser asks by itself (whether there is an update, what time it is) goes nowhere.
    pub(crate) fn start(program: &Path, proxy: u16) -> Result<Self, Failed> {
        let profile = tempfile::tempdir().unwrap();
        // Chromium reads commands from 3 and writes answers to 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 1>/dev/null 0</dev/null"])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
            ])
            .args(["--no-first-run", "--disable-sync"])
            .args(["--disable-component-update", "--disable-domain-reliability"])
            .arg("--disable-background-networking")
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let commands = process.stdin.take().unwrap();
        let answers = process.stdout.take().unwrap();
        let (send, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let sent = serde_json::from_slice(&message).map(|message| send.send(message));
                if !matches!(sent, Ok(Ok(()))) {
                    break;
                }
            }
        });
        let mut browser = Browser {
            process,
            commands,
            messages,
            last: 0,
            tab: None,
            events: Vec::new(),
            _profile: profile,
        };
        browser.open_tab(proxy)?;
        Ok(browser)
    }

    fn open_tab(&mut self, proxy: u16) -> Result<(), Failed> {
        let network = json!({
            "proxyServer": format!("http://127.0.0.1:{proxy}"), "proxyBypassList": "<-loopback>",
        });
        let context = self.call("Target.createBrowserContext", &network)?;
        let blank =
            json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = self.call("Target.createTarget", &blank)?;
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", &target)?;
        self.tab = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(())
    }

    /// What the method answers.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, Failed> {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(tab) = &self.tab {
            command["sessionId"] = json!(tab);
        }
        self.commands.write_all(format!("{command}\0").as_bytes())?;
        loop {
            let message = self.next_message()?;
            if message["id"] == self.last {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.events.push(message);
        }
    }

    /// Opens the file and waits until it is there, then says what happened meanwhile.
    pub(crate) fn open(&mut self, file: &Path) -> Result<(), Failed> {
        self.events.clear();
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", &json!({ "url": url }))?;
        while !self
            .events
            .iter()
            .any(|it| it["method"] == "Page.loadEventFired")
        {
            let message = self.next_message()?;
            self.events.push(message);
        }
        Ok(())
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Result<Value, Failed> {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &parameters)?;
        match answer.get("exceptionDetails") {
            Some(exception) => Err(format!("{expression}: {exception}").into()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// The page as a reader of this scheme (`light`, `dark`) sees it, so many pixels wide.
    pub(crate) fn look(&mut self, scheme: &str, width: u32) -> Result<(), Failed> {
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": scheme }))?;
        let size = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", &size)?;
        Ok(())
    }

    /// What the page wrote to the console, and what it was refused, since it was opened.
    pub(crate) fn complaints(&mut self) -> Result<Vec<String>, Failed> {
        // Events come before the answer to a later call.
        self.value("0")?;
        let kinds = [
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        ];
        let events = self.events.iter();
        let complaints = events.filter(|it| kinds.iter().any(|kind| it["method"] == *kind));
        Ok(complaints.map(|it| it["params"].to_string()).collect())
    }

    /// What the page asked for besides itself since it was opened. Its empty icon is no request.
    pub(crate) fn requests(&self) -> Vec<String> {
        let events = self.events.iter();
        let sent = events.filter(|it| it["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|it| {
            let parameters = &it["params"];
            let itself = parameters["documentURL"] == parameters["request"]["url"];
            (!itself).then(|| parameters["request"]["url"].as_str().map(str::to_owned))?
        });
        urls.filter(|url| url != "data:,").collect()
    }

    fn next_message(&mut self) -> Result<Value, Failed> {
        let message = self.messages.recv_timeout(PATIENCE);
        message.map_err(|_| "Chromium does not answer".into())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
