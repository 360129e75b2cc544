//! nginx as the load balancer before several nodes.

use std::fs;
use std::ops::Deref;

use anyhow::{Context, Result};

use crate::server::{self, Recipe, Server};
use crate::{folders, ports, program};

/// A private `nginx` that spreads requests over nodes in turn.
///
/// A request goes to the next node when the connection fails or the node answers 502 or 503;
/// one that is not idempotent (POST, PATCH) does so only as long as nothing of it was sent.
pub struct Nginx {
    server: Server,
}

impl Nginx {
    /// Starts it before the nodes on these ports of 127.0.0.1; they need not be up yet.
    pub fn start(upstream_ports: &[u16]) -> Result<Self> {
        let program = program::find("nginx")?;
        let (folder, port) = (folders::temporary("nginx")?, ports::reserve()?);
        let path = folder.path().join("nginx.conf");
        fs::write(&path, configuration(port, upstream_ports))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let prefix = folder.path().display().to_string();
        // Without `-e` it opens the system's log first, which only root may.
        let words = ["-p", &prefix, "-e", "stderr", "-c", "nginx.conf"];
        let arguments = words.map(str::to_owned).to_vec();
        let answers = |port| server::connect(port).is_some();
        let recipe = Recipe { program, arguments, answers };
        Ok(Self { server: Server::start(folder, port, recipe)? })
    }
}

impl Deref for Nginx {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// One process, so that killing it leaves no workers behind. Nodes are never taken out of turn
/// (`max_fails=0`): a node that is down refuses at once, and a client must not get a 502 of our own
/// only because every node has said 503.
fn configuration(port: u16, upstream_ports: &[u16]) -> String {
    let servers: String = upstream_ports
        .iter()
        .map(|port| format!("    server 127.0.0.1:{port} max_fails=0;\n"))
        .collect();
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 0;
  keepalive_requests 1000000;
  upstream nodes {{
{servers}    keepalive 64;
    keepalive_requests 1000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 1s;
      proxy_read_timeout 30s;
      proxy_next_upstream error http_502 http_503;
    }}
  }}
}}
"
    )
}
