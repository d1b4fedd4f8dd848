// Which account a person comes back with, and who signs in to the page.
#include "core/oauth/credential_json.hpp"
#include "idp_samples.hpp"
#include "policy/flows/account_flow.hpp"
#include "policy/flows/authorization_flow.hpp"

using namespace reauth;
using namespace reauth::test;

namespace {

const std::string userinfo_url = "https://idp.example/userinfo",
                  introspection_url = "https://as.example/introspect";

struct login_at {
    fixed_world world;
    flow_script script;
    authorization_inputs inputs;
    explicit login_at(registered_client client = sample_client()) {
        inputs.upstream = "up";
        inputs.server = sample_server();
        inputs.client = std::move(client);
        inputs.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
        inputs.scopes = {"openid", "read"};
    }
    credential end(const std::string& token_answer) {
        const auto begun = begin_authorization(world.env, inputs).value();
        script.on(as_token, 200, token_answer);
        return script
            .run(finish_authorization(world.env, begun.pending, callback_for(begun.pending),
                                      std::string(begun.browser_binding.reveal())))
            .value();
    }
};

std::string query_of(const std::string& url, std::string_view name) {
    return form_field(url.substr(url.find('?') + 1), name);
}

std::size_t asked_for(const flow_script& script, const std::string& url) {
    return static_cast<std::size_t>(std::count_if(script.requests.begin(), script.requests.end(),
                                                  [&](const auto& r) { return r.url == url; }));
}

const std::string plain_answer = R"({"access_token":"at-s3cr3t","token_type":"Bearer"})";

} // namespace

TEST_CASE("the account is the ID token's, where one comes: nobody else is asked") {
    login_at house;
    house.inputs.server.userinfo_endpoint = userinfo_url;
    const auto with = [&](json claims) {
        return house.end(
            json{{"access_token", "at-s3cr3t"}, {"token_type", "Bearer"}, {"id_token", id_token(claims)}}
                .dump());
    };
    const auto named = with({{"email", "ada@acme.example"}, {"preferred_username", "ada"}});
    CHECK(named.subject == "ada");
    CHECK(named.account == "ada@acme.example");
    CHECK(asked_for(house.script, userinfo_url) == 0);
    // kept in the vault, and over a renewal
    CHECK(credential_from_json(credential_to_json(named))->account == "ada@acme.example");
}

TEST_CASE("without an ID token the server is asked by introspection, else by userinfo; and trouble is no "
          "reason to fail") {
    login_at house(secret_client());
    house.inputs.server.introspection_endpoint = introspection_url;
    house.inputs.server.userinfo_endpoint = userinfo_url;
    SECTION("introspection") {
        house.script.on(introspection_url, 200, R"({"active":true,"sub":"7","username":"ada"})");
        const auto c = house.end(plain_answer);
        CHECK(c.account == "ada");
        CHECK(c.subject == "7");
        CHECK(asked_for(house.script, userinfo_url) == 0);
    }
    SECTION("a token that is not active says nothing") {
        house.script.on(introspection_url, 200, R"({"active":false,"username":"ada"})");
        house.script.on(userinfo_url, 200, R"({"sub":"7","name":"Ada"})");
        CHECK(house.end(plain_answer).account == "Ada");
    }
    SECTION("neither") {
        house.script.on(introspection_url, 500, "").on(userinfo_url, 403, "{}");
        CHECK(house.end(plain_answer).account.empty());
    }
    SECTION("nothing that can be asked") {
        house.inputs.server.introspection_endpoint.clear();
        house.inputs.scopes = {"read"}; // no openid: userinfo is not for this token
        CHECK(house.end(plain_answer).account.empty());
        CHECK(asked_for(house.script, userinfo_url) == 0);
    }
}

TEST_CASE("a hint says who is to sign in, and a person with several accounts is asked which") {
    login_at house;
    house.inputs.login_hint = "ada@acme.example";
    house.inputs.select_account = true;
    const auto url = [&] { return begin_authorization(house.world.env, house.inputs)->pending.location; };
    CHECK(query_of(url(), "login_hint") == "ada@acme.example");
    CHECK(query_of(url(), "prompt") == "select_account");
    house.inputs.server.prompt_values_supported = {"none", "login"};
    CHECK(query_of(url(), "prompt") == "(none)");
    house.inputs.server.prompt_values_supported = {"select_account"};
    house.inputs.server.id_token_signing_alg_values_supported = {"RS256"};
    house.inputs.scopes.add("offline_access");
    CHECK(query_of(url(), "prompt") == "select_account consent");
    house.inputs.prompt_login = true;
    CHECK(query_of(url(), "prompt") == "login consent");
    house.inputs.authorize_params = {{"prompt", "none"}, {"login_hint", "other"}};
    CHECK(query_of(url(), "prompt") == "none");
    CHECK(query_of(url(), "login_hint") == "other");
}

TEST_CASE(
    "whoever signs in to the page is named by the ID token, and by userinfo where that lacks something") {
    fixed_world world;
    flow_script script;
    auto inputs = login_inputs();
    inputs.scopes = {"openid", "profile"};
    inputs.server.userinfo_endpoint = userinfo_url;
    const auto begun = begin_idp_login(world.env, inputs).value();
    CHECK(query_of(begun.pending.location, "scope") == "openid profile");
    const auto finish = [&](const std::string& claim) {
        return script.run(finish_page_login(world.env, begun.pending, callback_for(begun.pending),
                                            std::string(begun.browser_binding.reveal()), claim, "groups"));
    };
    script.on(idp_jwks, 200, keys());
    SECTION("all in the ID token") {
        script.on(idp_token, 200, login_answer(begun.pending, {{"groups", {"staff"}}, {"sid", "s1"}}));
        const auto who = finish("sub");
        REQUIRE(who.has_value());
        CHECK(who->principal == "ada");
        CHECK(who->groups == std::vector<std::string>{"staff"});
        CHECK(who->who.session == "s1");
        CHECK(asked_for(script, userinfo_url) == 0);
    }
    SECTION("groups come with userinfo, of the same person alone") {
        script.on(idp_token, 200, login_answer(begun.pending));
        script.on(userinfo_url, 200, R"({"sub":"ada","groups":["admins"],"email":"ada@acme.example"})");
        const auto who = finish("email");
        REQUIRE(who.has_value());
        CHECK(who->principal == "ada@acme.example");
        CHECK(who->groups == std::vector<std::string>{"admins"});
    }
    SECTION("another person's userinfo is nobody's") {
        script.on(idp_token, 200, login_answer(begun.pending));
        script.on(userinfo_url, 200, R"({"sub":"grace","groups":["admins"]})");
        const auto who = finish("sub");
        REQUIRE(who.has_value());
        CHECK(who->groups.empty());
    }
    SECTION("a nonce of another login") {
        script.on(idp_token, 200, login_answer(begun.pending, {{"nonce", "other"}}));
        CHECK_FALSE(finish("sub").has_value());
    }
}
