//! The certificate of the TLS ports, and the CA that clients are told to trust.
//!
//! The CA signs one certificate and its key is then forgotten: it is never written, so nothing
//! else can ever be signed by what clients trust, and its name constraints bound it to loopback.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};

const CA_FILE: &str = "ca.pem";
/// The server's key, its certificate and the CA's: one file, so that they cannot part.
const SERVER_FILE: &str = "server.pem";
const LOCK_FILE: &str = "certificate.lock";
/// How long a certificate lives. Some systems refuse a server's that lives longer than 825 days.
const LIFETIME_DAYS: i64 = 800;
/// A certificate that has less than this left is replaced before anyone sees it end.
const LEFT_MIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What a TLS port serves with.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// HTTP/2 and HTTP/1.1 over ALPN.
    pub(crate) config: Arc<ServerConfig>,
    /// The PEM file of the CA that clients must trust.
    pub(crate) ca_file: PathBuf,
}

/// The certificate for `localhost`, `127.0.0.1` and `::1` that lives in `dir`, made when there is
/// none that is good for another month. The folder's lock keeps two processes from making two.
///
/// # Errors
/// The folder cannot be read or written.
pub(crate) fn certificate(dir: &Path) -> io::Result<Tls> {
    fs::create_dir_all(dir)?;
    let lock = File::create(dir.join(LOCK_FILE))?;
    lock.lock()?;
    let server_file = dir.join(SERVER_FILE);
    let now = UnixTime::now();
    let bundle = match read(&server_file, now)? {
        Some(bundle) => bundle,
        None => {
            let pem = make(now)?;
            write(&server_file, &pem, true)?;
            Bundle::parse(&pem)
                .ok_or_else(|| io::Error::other("the certificate just made is unreadable"))?
        }
    };
    let ca_file = dir.join(CA_FILE);
    if fs::read(&ca_file)
        .ok()
        .and_then(|pem| CertificateDer::from_pem_slice(&pem).ok())
        != Some(bundle.ca.clone())
    {
        write(&ca_file, &bundle.ca_pem, false)?;
    }
    Ok(Tls {
        config: bundle.config()?,
        ca_file,
    })
}

struct Bundle {
    key: PrivateKeyDer<'static>,
    leaf: CertificateDer<'static>,
    ca: CertificateDer<'static>,
    ca_pem: String,
}

impl Bundle {
    fn parse(pem: &str) -> Option<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
        let leaf = certificates.next()?.ok()?;
        let ca = certificates.next()?.ok()?;
        let ca_pem = pem
            .get(pem.rfind("-----BEGIN CERTIFICATE-----")?..)?
            .to_owned();
        Some(Bundle {
            key,
            leaf,
            ca,
            ca_pem,
        })
    }

    /// Whether a client that trusts the CA would accept the certificate for every name, now and
    /// for a while. Both end on the same day.
    fn is_good(&self, now: UnixTime) -> bool {
        let later = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + LEFT_MIN);
        let mut roots = RootCertStore::empty();
        if roots.add(self.ca.clone()).is_err() {
            return false;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let Ok(verifier) = verifier else { return false };
        NAMES.iter().all(|name| {
            let Ok(name) = ServerName::try_from(*name) else {
                return false;
            };
            [now, later].iter().all(|at| {
                verifier
                    .verify_server_cert(&self.leaf, &[], &name, &[], *at)
                    .is_ok()
            })
        })
    }

    fn config(self) -> io::Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![self.leaf], self.key)
            })
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// What the file holds, if it is there, whole and good. Whatever else it is gets replaced.
fn read(file: &Path, now: UnixTime) -> io::Result<Option<Bundle>> {
    match fs::read(file) {
        Ok(bytes) => {
            let bundle = String::from_utf8(bytes)
                .ok()
                .and_then(|pem| Bundle::parse(&pem));
            Ok(bundle.filter(|bundle| bundle.is_good(now) && bundle.matches()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Bundle {
    /// Whether the key is the certificate's.
    fn matches(&self) -> bool {
        let copy = Bundle {
            key: self.key.clone_key(),
            leaf: self.leaf.clone(),
            ca: self.ca.clone(),
            ca_pem: String::new(),
        };
        copy.config().is_ok()
    }
}

/// A fresh bundle as PEM.
fn make(now: UnixTime) -> io::Result<String> {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_second(seconds).map_err(io::Error::other)?;
    let today = jiff::tz::Offset::UTC.to_datetime(instant).date();
    // A client whose clock is a little behind must not find the certificate unborn.
    let from = today.checked_sub(1.day()).map_err(io::Error::other)?;
    let until = today
        .checked_add(LIFETIME_DAYS.days())
        .map_err(io::Error::other)?;
    let date_time = |date: jiff::civil::Date| {
        date_time_ymd(
            i32::from(date.year()),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        )
    };
    let validity = (date_time(from), date_time(until));

    let mut ca = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    (ca.not_before, ca.not_after) = validity;
    ca.distinguished_name.push(
        DnType::CommonName,
        format!("mq emulator CA {}", uuid::Uuid::new_v4()),
    );
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(Ipv4Addr::LOCALHOST.octets(), 32)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    let ca_key = KeyPair::generate().map_err(io::Error::other)?;
    let ca = CertifiedIssuer::self_signed(ca, ca_key).map_err(io::Error::other)?;

    let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).map_err(io::Error::other)?;
    (leaf.not_before, leaf.not_after) = validity;
    leaf.distinguished_name
        .push(DnType::CommonName, "mq emulator");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate().map_err(io::Error::other)?;
    let leaf = leaf.signed_by(&leaf_key, &ca).map_err(io::Error::other)?;
    Ok(format!(
        "{}{}{}",
        leaf_key.serialize_pem(),
        leaf.pem(),
        ca.pem()
    ))
}

/// Writes beside the file and renames: a reader never sees half of it.
fn write(file: &Path, text: &str, private: bool) -> io::Result<()> {
    let beside = file.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut handle = options.open(&beside)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()?;
    drop(handle);
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca(dir: &Path) -> String {
        fs::read_to_string(certificate(dir).unwrap().ca_file).unwrap()
    }

    #[test]
    fn the_same_folder_gives_the_same_ca_and_another_folder_another() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = ca(dir.path());
        assert_eq!(ca(dir.path()), first);
        assert_ne!(ca(other.path()), first);
        assert_eq!(first.matches("BEGIN CERTIFICATE").count(), 1);
        assert!(!first.contains("PRIVATE"));
    }

    #[test]
    fn a_lost_or_foreign_ca_file_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = ca(dir.path());
        fs::remove_file(dir.path().join(CA_FILE)).unwrap();
        assert_eq!(ca(dir.path()), first);
        fs::write(dir.path().join(CA_FILE), "nonsense").unwrap();
        assert_eq!(ca(dir.path()), first);
    }

    #[test]
    fn a_damaged_bundle_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let first = ca(dir.path());
        let file = dir.path().join(SERVER_FILE);
        let whole = fs::read_to_string(&file).unwrap();
        let other = make(UnixTime::now()).unwrap();
        let (_, certificates) = whole.split_once("-----END PRIVATE KEY-----").unwrap();
        let (other_key, _) = other.split_once("-----END PRIVATE KEY-----").unwrap();
        let mixed = format!("{other_key}-----END PRIVATE KEY-----{certificates}");
        for damaged in [
            whole[..whole.len() / 2].to_owned(),
            String::new(),
            "\u{fffd}".to_owned(),
            mixed,
        ] {
            fs::write(&file, damaged).unwrap();
            assert_ne!(ca(dir.path()), first);
        }
    }

    #[test]
    fn a_certificate_is_good_for_its_lifetime_less_a_month() {
        let now = UnixTime::now();
        let bundle = Bundle::parse(&make(now).unwrap()).unwrap();
        let day = |days: u64| {
            UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + days * 86_400))
        };
        assert!(bundle.is_good(now));
        assert!(bundle.is_good(day(768)));
        assert!(!bundle.is_good(day(771)));
        assert!(!bundle.is_good(day(900)));
        assert!(!bundle.is_good(UnixTime::since_unix_epoch(Duration::from_secs(0))));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        certificate(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(SERVER_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn processes_that_start_at_once_agree() {
        let dir = tempfile::tempdir().unwrap();
        let each = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| ca(dir.path()))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert!(each.iter().all(|pem| *pem == each[0]));
    }
}
