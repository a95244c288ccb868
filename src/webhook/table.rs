//! The schemes that we know. A row is all there is to a scheme.

use std::borrow::Cow;

use super::encoding::TagEncoding;
use super::layout::{KeyForm, Layout, TimestampPlace};
use super::spec::SchemeName;

/// The row of a scheme.
pub(super) fn row(name: SchemeName) -> Layout {
    match name {
        SchemeName::PagerDuty => PAGERDUTY,
        SchemeName::StandardWebhooks => STANDARD_WEBHOOKS,
        SchemeName::Stripe => STRIPE,
        SchemeName::GitHub => GITHUB,
        SchemeName::Slack => SLACK,
        SchemeName::Genesys => GENESYS,
    }
}

const PAGERDUTY: Layout = Layout {
    header: Cow::Borrowed("X-PagerDuty-Signature"),
    id_header: Some(Cow::Borrowed("X-Webhook-Id")),
    timestamp: TimestampPlace::Nowhere,
    prefix: Cow::Borrowed("v1="),
    encoding: TagEncoding::Hex,
    separator: Some(Cow::Borrowed(",")),
    signed: Cow::Borrowed("{body}"),
    keys: KeyForm::Text,
};

const STANDARD_WEBHOOKS: Layout = Layout {
    header: Cow::Borrowed("webhook-signature"),
    id_header: Some(Cow::Borrowed("webhook-id")),
    timestamp: TimestampPlace::Header(Cow::Borrowed("webhook-timestamp")),
    prefix: Cow::Borrowed("v1,"),
    encoding: TagEncoding::Base64,
    separator: Some(Cow::Borrowed(" ")),
    signed: Cow::Borrowed("{id}.{timestamp}.{body}"),
    keys: KeyForm::Base64 { prefix: "whsec_", least: 24, most: 64 },
};

/// The whole text of a key signs, with its `whsec_`.
const STRIPE: Layout = Layout {
    header: Cow::Borrowed("Stripe-Signature"),
    id_header: None,
    timestamp: TimestampPlace::Entry("t="),
    prefix: Cow::Borrowed("v1="),
    encoding: TagEncoding::Hex,
    separator: Some(Cow::Borrowed(",")),
    signed: Cow::Borrowed("{timestamp}.{body}"),
    keys: KeyForm::Text,
};

const GITHUB: Layout = Layout {
    header: Cow::Borrowed("X-Hub-Signature-256"),
    id_header: Some(Cow::Borrowed("X-GitHub-Delivery")),
    timestamp: TimestampPlace::Nowhere,
    prefix: Cow::Borrowed("sha256="),
    encoding: TagEncoding::Hex,
    separator: None,
    signed: Cow::Borrowed("{body}"),
    keys: KeyForm::Text,
};

const SLACK: Layout = Layout {
    header: Cow::Borrowed("X-Slack-Signature"),
    id_header: None,
    timestamp: TimestampPlace::Header(Cow::Borrowed("X-Slack-Request-Timestamp")),
    prefix: Cow::Borrowed("v0="),
    encoding: TagEncoding::Hex,
    separator: None,
    signed: Cow::Borrowed("v0:{timestamp}:{body}"),
    keys: KeyForm::Text,
};

const GENESYS: Layout = Layout {
    header: Cow::Borrowed("X-Hub-Signature-256"),
    id_header: None,
    timestamp: TimestampPlace::Nowhere,
    prefix: Cow::Borrowed("sha256="),
    encoding: TagEncoding::Base64,
    separator: None,
    signed: Cow::Borrowed("{body}"),
    keys: KeyForm::Text,
};
