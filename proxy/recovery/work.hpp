// What each action of a credential's life means in this world: one function an action. Work ends as the event
// that tells of it; an errand is only done. They hold ids and values, never the life.
#pragma once

#include "proxy/recovery/lock_keeper.hpp"
#include "proxy/recovery/token_source.hpp"

#include <concepts>

namespace reauth {

task<life_event> carry_out(recovery_context& context, configured_binding place, life::discover what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::lock what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::look what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::run what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::store what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::erase what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::take_call what);
task<void> carry_out(recovery_context& context, configured_binding place, life::undo_store what);
task<void> carry_out(recovery_context& context, configured_binding place, life::unlock what);

// revocation.cpp: tokens that nobody uses any more
task<life_event> carry_out(recovery_context& context, configured_binding place, life::revoke what);
task<void> carry_out(recovery_context& context, configured_binding place, life::retire what);

// sign_in.cpp: the provider's login, the same for an authorization server and an identity provider
task<life_event> carry_out(recovery_context& context, configured_binding place, life::begin_sign_in what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::await_device what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::release_binding what);
task<life_event> carry_out(recovery_context& context, configured_binding place, life::redeem what);
task<void> carry_out(recovery_context& context, configured_binding place, life::discard_pending what);

/// In the log: the vault could not be read or written.
void log_vault_trouble(const failure& trouble);
/// What the vault holds for it: of that issuer, or, where it is empty, of the one that was approved. Blocks.
result<life::stored_state> read_stored(credential_store& store, const configured_binding& place,
                                       const std::string& issuer);

/// An action that ends as an event.
template<class Action>
concept work_action = requires(recovery_context& context, configured_binding place, Action what) {
    { carry_out(context, place, what) } -> std::same_as<task<life_event>>;
};
/// An action whose end nobody waits for.
template<class Action>
concept errand_action = requires(recovery_context& context, configured_binding place, Action what) {
    { carry_out(context, place, what) } -> std::same_as<task<void>>;
};

} // namespace reauth
