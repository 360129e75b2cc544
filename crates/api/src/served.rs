//! What a connection asks: the list of missions directly, and everything else through the router.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tower::{BoxError, Service};

use crate::around::shed;
use crate::limits::ClientAddress;
use crate::missions;
use crate::state::Api;

/// Everything that is served.
///
/// Nearly all requests are for the list of missions. A router's layers and extractors were a twelfth of
/// its processor time, so it is recognised before.
#[derive(Clone)]
pub struct Served {
    api: Arc<Api>,
    router: Router,
    is_list_direct: bool,
}

impl Served {
    pub(crate) fn new(api: Arc<Api>, router: Router) -> Self {
        Self { api, router, is_list_direct: true }
    }

    /// The same behind a layer, for every request.
    #[must_use]
    pub fn behind(self, layer: impl FnOnce(Router) -> Router) -> Self {
        Self { router: layer(self.router), is_list_direct: false, ..self }
    }

    /// The answer to a request for which there is no room.
    #[must_use]
    pub fn turned_away(&self) -> Response {
        shed().written(&self.api.new_request_id())
    }

    /// Answers a request that has come from `address`.
    pub async fn answer<B>(&self, request: Request<B>, address: Option<ClientAddress>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if self.is_list_direct && missions::is_list(&request) {
            let (parts, _) = request.into_parts();
            return missions::answer_list(&self.api, &parts, address).await;
        }
        let mut request = request.map(Body::new);
        if let Some(address) = address {
            request.extensions_mut().insert(address);
        }
        match self.router.clone().call(request).await {
            Ok(response) => of_what_is_kept(response),
            Err(never) => match never {},
        }
    }
}

/// Says nothing of the length of what the client has already: the router would say that it is 0, also
/// where a request without the condition is answered with more (RFC 9110, 8.6).
fn of_what_is_kept(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

impl Service<Request<Body>> for Served {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let served = self.clone();
        let address = request.extensions().get().copied();
        Box::pin(async move { Ok(served.answer(request, address).await) })
    }
}
