//! steadfaas from end to end.
