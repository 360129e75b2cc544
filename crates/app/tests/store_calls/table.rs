//! The table.
//!
//! Statements grow with the rows that are answered where the embedded store reads each by its key: a
//! record of a user's journal, or a delivery and the record that it tells of. That is a look into a
//! tree in the same process, some microseconds; on a store across a network it is one call as well as
//! here, and there it is one query.

/// What a request costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cost {
    /// Store calls, whatever there is in the store.
    pub(crate) calls: u32,
    /// Statements of the embedded store, with one row of everything.
    pub(crate) statements: u32,
    /// Statements with fifty; 0 for the routes in [`GROWS`], because commits that wait together share
    /// some.
    pub(crate) of_many: u32,
}

const fn cost(calls: u32, statements: u32, of_many: u32) -> Cost {
    Cost { calls, statements, of_many }
}

/// Every route: store calls, statements with one row of everything, statements with fifty.
pub(crate) const ROUTES: &[(&str, Cost)] = &[
    // What keeps the server running.
    ("GET /livez", cost(0, 0, 0)),
    ("GET /metrics", cost(0, 0, 0)),
    ("GET /openapi.json", cost(0, 0, 0)),
    ("GET /readyz", cost(1, 2, 2)),
    // A user, and the partner that reports what he does.
    ("GET /v1/enrollments", cost(1, 1, 1)),
    ("GET /v1/enrollments/{id}", cost(2, 5, 103)),
    ("POST /v1/inquiries", cost(3, 11, 109)),
    ("GET /v1/missions", cost(1, 1, 1)),
    ("GET /v1/missions/{id}", cost(1, 1, 1)),
    ("POST /v1/missions/{id}/participations", cost(2, 9, 9)),
    ("POST /v1/missions/{id}/steps/{step_id}/completions", cost(2, 9, 9)),
    ("GET /v1/postbacks/{partner_token}", cost(2, 9, 9)),
    ("POST /v1/postbacks/{partner_token}", cost(2, 9, 9)),
    ("GET /v1/wallet", cost(2, 6, 104)),
    // A publisher.
    ("GET /v1/deliveries", cost(1, 9, 107)),
    ("POST /v1/deliveries/replay", cost(1, 11, 403)),
    ("GET /v1/deliveries/{id}", cost(1, 2, 2)),
    ("POST /v1/deliveries/{id}/replay", cost(2, 11, 11)),
    ("GET /v1/rewards", cost(1, 15, 107)),
    ("POST /v1/sessions", cost(2, 6, 6)),
    ("DELETE /v1/users/{user_id}/sessions", cost(2, 6, 6)),
    // An operator.
    ("GET /v1/admin/apps/{id}/deliveries", cost(1, 9, 107)),
    ("POST /v1/admin/apps/{id}/deliveries/replay", cost(1, 15, 407)),
    ("POST /v1/admin/apps/{id}/deliveries/{delivery_id}/replay", cost(2, 11, 11)),
    ("GET /v1/admin/catalog", cost(0, 0, 0)),
    ("POST /v1/admin/catalog/apply", cost(2, 9, 58)),
    ("GET /v1/admin/catalog/history", cost(1, 1, 1)),
    ("GET /v1/admin/line_items/{id}/budget", cost(1, 1, 1)),
    ("GET /v1/admin/line_items/{id}/serving", cost(1, 1, 1)),
    ("GET /v1/admin/reports/apps", cost(3, 3, 3)),
    ("GET /v1/admin/reports/line_items", cost(3, 3, 3)),
    ("POST /v1/admin/segments/{id}/members", cost(2, 6, 0)),
    ("GET /v1/admin/trail/{id}", cost(3, 7, 203)),
    ("GET /v1/admin/verify", cost(12, 45, 241)),
    ("POST /v1/admin/verify", cost(12, 45, 241)),
    ("GET /v1/missions/{id}/explain", cost(1, 1, 1)),
    // An operator: the catalogue row by row, which is read from memory. An edit is saved and compared with
    // the budgets; a line item also has its limits set.
    ("GET /v1/admin/ad_groups", cost(0, 0, 0)),
    ("POST /v1/admin/ad_groups", cost(2, 9, 9)),
    ("GET /v1/admin/ad_groups/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/ad_groups/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/ad_groups/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/advertisers", cost(0, 0, 0)),
    ("POST /v1/admin/advertisers", cost(2, 9, 9)),
    ("GET /v1/admin/advertisers/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/advertisers/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/advertisers/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/apps", cost(0, 0, 0)),
    ("POST /v1/admin/apps", cost(2, 9, 9)),
    ("GET /v1/admin/apps/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/apps/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/apps/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/line_items", cost(0, 0, 0)),
    ("POST /v1/admin/line_items", cost(3, 15, 15)),
    ("GET /v1/admin/line_items/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/line_items/{id}", cost(3, 14, 14)),
    ("DELETE /v1/admin/line_items/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/missions", cost(0, 0, 0)),
    ("POST /v1/admin/missions", cost(2, 12, 12)),
    ("GET /v1/admin/missions/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/missions/{id}", cost(2, 12, 12)),
    ("DELETE /v1/admin/missions/{id}", cost(2, 11, 11)),
    ("GET /v1/admin/orders", cost(0, 0, 0)),
    ("POST /v1/admin/orders", cost(2, 9, 9)),
    ("GET /v1/admin/orders/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/orders/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/orders/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/partners", cost(0, 0, 0)),
    ("POST /v1/admin/partners", cost(2, 9, 9)),
    ("GET /v1/admin/partners/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/partners/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/partners/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/publishers", cost(0, 0, 0)),
    ("POST /v1/admin/publishers", cost(2, 9, 9)),
    ("GET /v1/admin/publishers/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/publishers/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/publishers/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/segments", cost(0, 0, 0)),
    ("POST /v1/admin/segments", cost(2, 9, 9)),
    ("GET /v1/admin/segments/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/segments/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/segments/{id}", cost(2, 9, 9)),
    ("GET /v1/admin/units", cost(0, 0, 0)),
    ("POST /v1/admin/units", cost(2, 9, 9)),
    ("GET /v1/admin/units/{id}", cost(0, 0, 0)),
    ("PATCH /v1/admin/units/{id}", cost(2, 9, 9)),
    ("DELETE /v1/admin/units/{id}", cost(2, 9, 9)),
    // The page.
    ("GET /m/s/{token}", cost(0, 0, 0)),
    ("GET /m/assets/{name}", cost(0, 0, 0)),
    ("GET /m/theme/{name}", cost(0, 0, 0)),
    ("GET /favicon.ico", cost(0, 0, 0)),
    ("GET /m/{*rest}", cost(1, 1, 1)),
    ("GET /m", cost(1, 1, 1)),
    ("GET /m/wallet", cost(2, 6, 104)),
    ("GET /m/missions/{id}", cost(1, 1, 1)),
    ("POST /m/missions/{id}/start", cost(2, 9, 9)),
    ("GET /m/missions/{id}/start", cost(0, 0, 0)),
    ("POST /m/missions/{id}/steps/{step_id}/visit", cost(2, 7, 7)),
    ("GET /m/missions/{id}/steps/{step_id}/visit", cost(0, 0, 0)),
    ("POST /m/missions/{id}/steps/{step_id}/complete", cost(2, 9, 9)),
    ("GET /m/missions/{id}/steps/{step_id}/complete", cost(0, 0, 0)),
    ("GET /m/u/{token}", cost(1, 1, 1)),
    ("GET /m/u/{token}/wallet", cost(2, 6, 104)),
    ("GET /m/u/{token}/missions/{id}", cost(1, 1, 1)),
    ("POST /m/u/{token}/missions/{id}/start", cost(2, 9, 9)),
    ("GET /m/u/{token}/missions/{id}/start", cost(0, 0, 0)),
    ("POST /m/u/{token}/missions/{id}/steps/{step_id}/visit", cost(2, 7, 7)),
    ("GET /m/u/{token}/missions/{id}/steps/{step_id}/visit", cost(0, 0, 0)),
    ("POST /m/u/{token}/missions/{id}/steps/{step_id}/complete", cost(2, 9, 9)),
    ("GET /m/u/{token}/missions/{id}/steps/{step_id}/complete", cost(0, 0, 0)),
];

/// Routes that are told how many users to change, and by how many store calls each costs more: a user is
/// an atomic change of his own, and those of one request are made together.
pub(crate) const GROWS: &[(&str, u32)] = &[("POST /v1/admin/segments/{id}/members", 2)];
