"""A token endpoint made of Flask and Authlib, which scripts/test-authlib.mjs starts.

The first line of its input holds the clients as JSON, the first line of its output its address.
"""

import json
import logging
import sys

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from flask import Flask
from werkzeug.serving import make_server


class Client(ClientMixin):
    def __init__(self, client_id, client_secret, method):
        self.client_id = client_id
        self.client_secret = client_secret
        self.method = method

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return self.client_secret == client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


def main():
    given = json.loads(sys.stdin.readline())
    clients = {it["id"]: Client(it["id"], it["secret"], it["method"]) for it in given["clients"]}
    lifetime = given["lifetimeSeconds"]
    tokens = {}

    app = Flask(__name__)
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": lifetime}
    app.config["OAUTH2_SCOPES_SUPPORTED"] = ["read"]
    server = AuthorizationServer(
        app,
        query_client=clients.get,
        save_token=lambda token, request: tokens.update({token["access_token"]: request.client.client_id}),
    )
    server.register_grant(ClientCredentialsGrant)

    @app.post("/oauth/token")
    def issue_token():
        return server.create_token_response()

    @app.get("/issued/<token>")
    def issued(token):
        return {"client_id": tokens.get(token)}

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    listener = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://127.0.0.1:{listener.server_port}", flush=True)
    listener.serve_forever()


if __name__ == "__main__":
    main()
