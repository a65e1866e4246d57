//! Where the CA of the TLS ports lives, and the bundle that lets clients trust it beside others.

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use tempfile::TempDir;

/// The bundle of [`CaFolder::bundle`].
const BUNDLE_FILE: &str = "ca-bundle.pem";

/// Where systems keep the roots that they trust.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The folder of the CA: the user's, which stays, or one of this run, which goes with it.
#[derive(Debug)]
pub(crate) struct CaFolder {
    path: PathBuf,
    _fresh: Option<TempDir>,
}

impl CaFolder {
    pub(crate) fn open(chosen: Option<&Path>) -> io::Result<Self> {
        if let Some(path) = chosen {
            fs::create_dir_all(path)?;
            return Ok(CaFolder {
                path: fs::canonicalize(path)?,
                _fresh: None,
            });
        }
        let fresh = TempDir::with_prefix("mq-emulator-")?;
        Ok(CaFolder {
            path: fresh.path().to_owned(),
            _fresh: Some(fresh),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the roots that this machine trusts and the emulator's CA into one file, for clients
    /// that trust one file only. `None` where the machine's roots are not found: a bundle of the
    /// emulator's CA alone would cut its reader off from every other server.
    pub(crate) fn bundle(&self, ca_pem: &str) -> io::Result<Option<PathBuf>> {
        let chosen = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]
            .into_iter()
            .filter_map(env::var_os);
        let candidates = chosen
            .map(PathBuf::from)
            .chain(SYSTEM_BUNDLES.map(PathBuf::from));
        let own = self.path.join(BUNDLE_FILE);
        let found = candidates
            // The variable may be that of a shell which has sourced this emulator's environment.
            .filter(|candidate| candidate.file_name() != own.file_name())
            .find_map(|candidate| fs::read_to_string(candidate).ok());
        let Some(roots) = found else { return Ok(None) };
        fs::write(&own, format!("{}\n{ca_pem}", roots.trim_end()))?;
        Ok(Some(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_folder_goes_and_a_chosen_one_stays() {
        let fresh = CaFolder::open(None).unwrap();
        let path = fresh.path().to_owned();
        assert!(path.is_dir());
        drop(fresh);
        assert!(!path.exists());

        let parent = TempDir::new().unwrap();
        let chosen = parent.path().join("state/ca");
        drop(CaFolder::open(Some(&chosen)).unwrap());
        assert!(chosen.is_dir());
    }

    #[test]
    fn the_bundle_never_holds_the_emulators_ca_alone() {
        let folder = CaFolder::open(None).unwrap();
        match folder.bundle("OUR CA\n").unwrap() {
            Some(path) => {
                let text = fs::read_to_string(path).unwrap();
                assert!(
                    text.ends_with("\nOUR CA\n") && text.contains("BEGIN CERTIFICATE"),
                    "{text}"
                );
            }
            None => assert!(!folder.path().join(BUNDLE_FILE).exists()),
        }
    }
}
