//! Addresses of NBD servers as other tools write them: `nbd://host:10809`, `nbd+unix:///?socket=/path`, `host:port`.

use crate::schema::Value;

/// The attributes of `<server>` that say what an address says.
pub(super) fn settings(address: &str) -> Option<Vec<(&'static str, &str)>> {
    let unix = |path| Value::Path.accepts(path).then(|| vec![("transport", "unix"), ("socket", path)]);
    if address.starts_with('/') {
        return unix(address);
    }
    let (scheme, rest) = address.split_once(':')?;
    let after_slashes = rest.strip_prefix("//");
    match scheme {
        "nbd+unix" => unix(rest.strip_prefix("///?socket=")?),
        "unix" | "file" => unix(after_slashes.unwrap_or(rest)),
        "nbd" | "nbd+tcp" | "tcp" if after_slashes.is_some() => {
            let authority = after_slashes?.strip_suffix('/').or(after_slashes)?;
            match host_and_port(authority) {
                Some((host, port)) => Some(vec![("name", host), ("port", port)]),
                None => Value::Host.accepts(authority).then(|| vec![("name", authority)]),
            }
        }
        _ => host_and_port(address).map(|(host, port)| vec![("name", host), ("port", port)]),
    }
}

/// Whether an address has a scheme.
pub(super) fn is_url(address: &str) -> bool {
    address.contains("://") || address.starts_with("unix:")
}

/// The two parts of `host:port` or `[address]:port`.
pub(super) fn host_and_port(value: &str) -> Option<(&str, &str)> {
    let (host, port) = value.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_port = !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && Value::Host.accepts(host)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn addresses_are_taken_apart() {
        let unix = |path| Some(vec![("transport", "unix"), ("socket", path)]);
        let tcp = |host, port| Some(vec![("name", host), ("port", port)]);
        assert_eq!(settings("nbd+unix:///?socket=/run/a"), unix("/run/a"));
        assert_eq!(settings("unix:///run/a"), unix("/run/a"));
        assert_eq!(settings("unix:/run/a"), unix("/run/a"));
        assert_eq!(settings("/run/a"), unix("/run/a"));
        assert_eq!(settings("nbd://h:1/"), tcp("h", "1"));
        assert_eq!(settings("tcp://[::1]:1"), tcp("::1", "1"));
        assert_eq!(settings("h:1"), tcp("h", "1"));
        assert_eq!(settings("nbd://h"), Some(vec![("name", "h")]));
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for address in
            ["nbd://h/vda", "ssh://h", "h", "nbd://u@h:1", "unix:a", "nbd://h:", "nbd+unix:///vda?socket=/run/a"]
        {
            assert_eq!(settings(address), None, "{address}");
        }
    }
}
