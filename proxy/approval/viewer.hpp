// Who looks at the page, and what is theirs to see and decide.
#pragma once

#include "proxy/approval/identity_actions.hpp"
#include "proxy/net/http_service.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// Nobody, an operator, or a person who has signed in.
struct viewer {
    bool operates = false; ///< has the operator's token, or is in a group of operators
    std::optional<page_person> person;

    bool nobody() const noexcept { return !operates && !person; }
    bool sees(const std::string& principal) const {
        return operates || (person && person->principal == principal);
    }
    /// For the audit; empty: nobody.
    std::string name() const {
        return person ? person->principal : operates ? std::string("operator") : std::string();
    }
};

/// What a session's cookie holds, before it is sealed.
std::string person_to_text(const page_person& who);
/// Nothing: it is of another version.
std::optional<page_person> person_from_text(const std::string& text);

/// The token of `Authorization: Bearer`; empty: none.
std::string_view bearer_in(const service_request& request);
/// The first cookie of that name.
std::optional<std::string> cookie_value(const service_request& request, std::string_view name);

/// Where somebody goes on after a sign-in: a path of ours, whoever has written it; else "/".
std::string own_path(std::string_view wanted);

/// Adds a field to whatever is answered.
class answering_with final : public service_exchange {
public:
    answering_with(service_exchange& inner, header_field field) : inner_(inner), field_(std::move(field)) {}

    const service_request& request() const override { return inner_.request(); }
    task<void> respond(service_response response) override {
        response.headers.push_back(field_);
        co_await inner_.respond(std::move(response));
    }
    task<void> begin_stream(service_response head) override {
        head.headers.push_back(field_);
        co_await inner_.begin_stream(std::move(head));
    }
    task<bool> write(std::string bytes) override { return inner_.write(std::move(bytes)); }
    void abort() override { inner_.abort(); }
    bool peer_gone() const override { return inner_.peer_gone(); }
    void on_peer_gone(std::function<void()> wake) override { inner_.on_peer_gone(std::move(wake)); }

private:
    service_exchange& inner_;
    header_field field_;
};

} // namespace reauth
