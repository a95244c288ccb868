//! The regions of Genesys Cloud, and the hosts that issue their tokens.

/// Every region and its domain, as the platform's own SDKs list them.
const REGIONS: [(&str, &str); 18] = [
    ("us_east_1", "mypurecloud.com"),
    ("us_east_2", "use2.us-gov-pure.cloud"),
    ("us_west_2", "usw2.pure.cloud"),
    ("ca_central_1", "cac1.pure.cloud"),
    ("mx_central_1", "mxc1.pure.cloud"),
    ("sa_east_1", "sae1.pure.cloud"),
    ("eu_west_1", "mypurecloud.ie"),
    ("eu_west_2", "euw2.pure.cloud"),
    ("eu_central_1", "mypurecloud.de"),
    ("eu_central_2", "euc2.pure.cloud"),
    ("eusc_de_east_1", "edee1.eusc-pure.cloud"),
    ("me_central_1", "mec1.pure.cloud"),
    ("ap_south_1", "aps1.pure.cloud"),
    ("ap_southeast_1", "apse1.pure.cloud"),
    ("ap_southeast_2", "mypurecloud.com.au"),
    ("ap_northeast_1", "mypurecloud.jp"),
    ("ap_northeast_2", "apne2.pure.cloud"),
    ("ap_northeast_3", "apne3.pure.cloud"),
];

/// The host that issues tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginHost {
    /// The host, with its port if one was given.
    pub host: String,
    /// Whether the given host issues no tokens, such as that of the platform API, and was replaced.
    pub corrected: bool,
}

/// The text is neither a region nor a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a region ({}) or a host such as login.mypurecloud.ie",
    REGIONS.map(|(region, _)| region).join(", ")
)]
pub struct UnknownRegion;

/// Finds the login host of a region (`sa_east_1` or `sa-east-1`), a domain or a host.
///
/// A host that is not in the list is returned as it is: the list of regions keeps growing.
pub fn login_host(region_or_host: &str) -> Result<LoginHost, UnknownRegion> {
    let given = region_or_host.to_ascii_lowercase();
    let region = given.replace('-', "_");
    if let Some((_, domain)) = REGIONS.iter().find(|(name, _)| *name == region) {
        return Ok(LoginHost { host: format!("login.{domain}"), corrected: false });
    }
    let (name, port) = given.split_once(':').unwrap_or((&given, ""));
    let is_host = name.contains('.')
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        && port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_host {
        return Err(UnknownRegion);
    }
    if REGIONS.iter().any(|(_, domain)| *domain == given) {
        return Ok(LoginHost { host: format!("login.{given}"), corrected: false });
    }
    // The platform API and the web application of a region issue no tokens.
    let domain = ["api.", "apps."].iter().find_map(|prefix| given.strip_prefix(prefix));
    Ok(match domain {
        Some(domain) => LoginHost { host: format!("login.{domain}"), corrected: true },
        None => LoginHost { host: given, corrected: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(given: &str) -> (String, bool) {
        login_host(given).map(|found| (found.host, found.corrected)).unwrap()
    }

    #[test]
    fn every_region_has_a_login_host_under_its_name_its_domain_and_itself() {
        for (region, domain) in REGIONS {
            let login = format!("login.{domain}");
            for given in [region, &region.replace('_', "-"), domain, &login] {
                assert_eq!(found(given), (login.clone(), false), "{given}");
            }
        }
    }

    #[test]
    fn the_host_of_the_platform_api_is_corrected() {
        assert_eq!(found("api.mypurecloud.ie"), ("login.mypurecloud.ie".to_owned(), true));
        assert_eq!(found("apps.sae1.pure.cloud"), ("login.sae1.pure.cloud".to_owned(), true));
    }

    #[test]
    fn a_host_that_is_not_listed_is_taken_as_it_is() {
        for given in ["login.new1.pure.cloud", "gateway.example.com:8443"] {
            assert_eq!(found(given), (given.to_owned(), false));
        }
    }

    #[test]
    fn what_is_neither_is_an_error_that_lists_the_regions() {
        for given in ["", "sa_east_9", "https://login.mypurecloud.ie", "a..b", "a.b/c", "a.b:x"] {
            assert_eq!(login_host(given), Err(UnknownRegion), "{given}");
        }
        assert!(UnknownRegion.to_string().contains("sa_east_1"));
    }
}
