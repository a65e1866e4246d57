use super::*;

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn chain(pairs: &[(&str, &str)]) -> Chain {
    let access = Access::vendor(
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    );
    Chain::new(&access, &http())
}

fn places(chain: &Chain) -> Vec<(&'static str, bool, bool)> {
    chain
        .places
        .iter()
        .map(|place| (place.name, place.credential.is_ok(), place.configured))
        .collect()
}

#[test]
fn the_order_is_the_vendors() {
    let names: Vec<_> = chain(&[]).places.iter().map(|place| place.name).collect();
    assert_eq!(
        names,
        [
            "client secret",
            "workload identity",
            "GitHub Actions",
            "managed identity",
            "Azure CLI",
            "Azure Developer CLI"
        ]
    );
}

#[test]
fn what_is_set_up_is_asked_and_ends_the_chain() {
    let identity = [("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client")];
    for (index, extra) in [
        vec![("AZURE_CLIENT_SECRET", "s3cr3t")],
        vec![(
            "AZURE_FEDERATED_TOKEN_FILE",
            concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"),
        )],
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "https://github.example/token?x=1",
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cr3t"),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let chain = chain(&[identity.as_slice(), &extra].concat());
        let place = places(&chain)[index];
        assert!(place.1 && place.2, "{place:?}");
        assert!(!format!("{chain:?}").contains("s3cr3t"), "{chain:?}");
    }
}

#[test]
fn half_a_setting_says_what_is_missing() {
    let chain = chain(&[("AZURE_CLIENT_SECRET", "s3cr3t"), ("AZURE_TENANT_ID", "t")]);
    let Err(why) = &chain.places[0].credential else {
        panic!("AZURE_CLIENT_ID is missing");
    };
    assert_eq!(why, "AZURE_CLIENT_ID is not set");
}

#[test]
fn a_certificate_is_answered_with_what_can_use_it() {
    let chain = chain(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/cert.pem")]);
    let Err(why) = &chain.places[0].credential else {
        panic!("no secret is set");
    };
    assert!(why.contains("az login --service-principal"), "{why}");
}

#[test]
fn the_failure_lists_each_try_and_no_secret() {
    let chain = chain(&[
        ("AZURE_CLIENT_SECRET", "s3cr3t"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
    ]);
    let tried = [
        "client secret: invalid s3cr3t".to_owned(),
        "Azure CLI: not found".to_owned(),
    ];
    let error = chain.failure(&tried);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(
        shown.contains("client secret: invalid [secret]; Azure CLI: not found"),
        "{shown}"
    );
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[test]
fn a_job_token_is_only_asked_for_over_tls() {
    let http = http();
    let url = "http://github.example/token";
    let token = GitHubToken::new(url, SecretString::from("t"), http);
    assert!(token.is_err());
}

#[derive(Debug)]
struct Fixed(std::result::Result<&'static str, &'static str>);

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [SCOPE]);
        match self.0 {
            Ok(token) => Ok(AccessToken::new(
                token,
                azure_core::time::OffsetDateTime::now_utc(),
            )),
            Err(why) => Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Credential,
                why,
            )),
        }
    }
}

fn fixed(
    name: &'static str,
    answer: std::result::Result<&'static str, &'static str>,
    configured: bool,
) -> Place {
    Place {
        name,
        credential: Ok(Arc::new(Fixed(answer))),
        timeout: TOKEN_TIMEOUT,
        configured,
    }
}

#[tokio::test]
async fn the_first_place_that_gives_a_token_is_kept() {
    let chain = Chain {
        places: vec![
            Place::absent("one", "is not set"),
            fixed("two", Err("no"), false),
            fixed("three", Ok("token"), false),
            fixed("four", Ok("other"), false),
        ],
        settled: OnceCell::new(),
        secrets: Vec::new(),
    };
    for _ in 0..2 {
        let token = chain.token().await.expect("a token");
        assert_eq!(token.secret(), "token");
    }
    assert_eq!(chain.settled.get(), Some(&2));
}

#[tokio::test]
async fn what_is_set_up_and_fails_is_the_end() {
    let chain = Chain {
        places: vec![
            fixed("one", Err("bad secret"), true),
            fixed("two", Ok("token"), false),
        ],
        settled: OnceCell::new(),
        secrets: Vec::new(),
    };
    let error = chain.token().await.expect_err("the chain ends");
    let text = error.to_string();
    assert!(
        text.contains("one: bad secret; the chain ends there"),
        "{text}"
    );
}
