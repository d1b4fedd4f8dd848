// A device login's second half: the token endpoint is asked until the person is done (RFC 8628 section 3.4).
#include "core/oauth/device.hpp"
#include "policy/flows/device_flow.hpp"
#include "proxy/recovery/work.hpp"

namespace reauth {
namespace {

/// The flow while it is in the vault: a decision, wherever it was taken, takes it out.
task<result<std::optional<pending_authorization>>> flow_in_vault(recovery_context& context,
                                                                 const secret& state) {
    auto read = [&] { return context.store.find_pending(state.reveal()); };
    co_return co_await context.vault.run(read);
}

/// Of several processes one asks. Whoever holds the lock and dies gives it back.
task<std::unique_ptr<vault_lock>> may_ask(recovery_context& context, const secret& state) {
    auto lock = [&]() -> std::unique_ptr<vault_lock> {
        auto won = context.store.records().try_lock("device|" + pending_key(state.reveal()));
        return won ? std::move(*won) : nullptr;
    };
    co_return co_await context.vault.run(lock);
}

/// What came of it is ours alone from here on.
task<bool> take_flow(recovery_context& context, const secret& state) {
    auto take = [&] { return context.store.take_pending(state.reveal()); };
    auto taken = co_await context.vault.run(take);
    co_return !taken || taken->has_value(); // a vault that can't be read now loses nobody a login
}

task<result<credential>> credential_from(recovery_context& context, const configured_binding& place,
                                         pending_authorization pending, token_response response) {
    if (!place.session()) {
        pending.id_token_is_bearer = place.upstream().bearer == bearer_kind::id_token;
        auto reach = options_for(place);
        auto login = credential_of_login(context.env, std::move(pending), std::move(response));
        co_return co_await drive(context.ex, context.network, reach, std::move(login));
    }
    auto options = options_for(place);
    auto work = device_session(context.env, std::move(pending), std::move(response));
    auto session = co_await drive(context.ex, context.network, options, std::move(work));
    if (!session)
        co_return session.error();
    co_return credential_of(*session);
}

} // namespace

task<life_event> carry_out(recovery_context& context, configured_binding place, life::await_device what) {
    life::flow_ended end{what.work, failure::permanent(fault::approval_timeout,
                                                       "this login was finished or given up elsewhere")};
    end.gone = true;
    std::unique_ptr<vault_lock> lock;
    std::optional<std::chrono::seconds> wait;
    for (;;) {
        auto found = co_await flow_in_vault(context, what.state);
        if (found && !*found)
            break;
        const auto rest = wait.value_or(found ? (*found)->interval : std::chrono::seconds(5));
        loop_timer timer(context.ex, rest);
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await timer.async_wait(token);
        if (!found)
            continue;
        if (!lock)
            lock = co_await may_ask(context, what.state);
        if (!lock)
            continue;
        found = co_await flow_in_vault(context, what.state);
        if (!found || !*found)
            continue;
        auto& pending = *found;
        end.client = pending->client;
        discovered_server there;
        there.server = pending->server;
        end.server = std::make_shared<const discovered_server>(std::move(there));
        const auto expired = pending->expired_at(context.env.now());
        auto options = options_for(place);
        auto work = ask_device_token(context.env, *pending);
        auto said = co_await drive(context.ex, context.network, options, std::move(work));
        wait = ask_device_again(said, wait.value_or(pending->interval));
        if (wait && !expired)
            continue;
        if (wait) {
            said = failure::permanent(fault::approval_timeout, "the code has expired")
                       .with_oauth_error("expired_token");
        }
        const bool ours = co_await take_flow(context, what.state);
        if (!said) {
            if (ours) { // else somebody else has its token: a code is good for one
                end.fresh = device_failure(said.error());
                end.gone = false;
            }
            break;
        }
        end.fresh = co_await credential_from(context, place, std::move(*pending), std::move(*said));
        end.gone = false;
        if (!ours && end.fresh) // given up while the person was signing in: it is given back
            end.work = 0;
        break;
    }
    // the vault's calls are made on its thread
    auto give_back = [&] {
        lock.reset();
        return true;
    };
    co_await context.vault.run(give_back);
    co_return end;
}

} // namespace reauth
