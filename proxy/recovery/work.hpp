// The pieces of work that a credential's life asks for, each a small coroutine that ends as the event that
// tells of it. They hold ids and values, never the life.
#pragma once

#include "proxy/recovery/lock_keeper.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life_event> discover_work(recovery_context& context, life_place place, life::discover what);
task<life_event> lock_work(lock_keeper& locks, std::string name, life::work_id work,
                           std::chrono::milliseconds patience);
task<life_event> look_work(recovery_context& context, life_place place, life::look what);
task<life_event> run_work(recovery_context& context, life_place place, life::run what);
task<life_event> store_work(recovery_context& context, life_place place, life::store what);
task<life_event> erase_work(recovery_context& context, life_place place, life::erase what);
task<void> undo_store_work(recovery_context& context, life_place place, life::undo_store what);

// revocation.cpp: tokens that nobody uses any more
task<life_event> revoke_work(recovery_context& context, life_place place, life::revoke what);
task<void> retire_work(recovery_context& context, life_place place, life::retire what);

// sign_in.cpp: the provider's login, the same for an authorization server and an identity provider
task<life_event> begin_sign_in_work(recovery_context& context, life_place place, life::begin_sign_in what);
task<life_event> await_device_work(recovery_context& context, life_place place, life::await_device what);
task<life_event> release_binding_work(recovery_context& context, life::release_binding what);
task<life_event> redeem_work(recovery_context& context, life_place place, life::redeem what);
task<void> discard_pending_work(recovery_context& context, secret state, bool refused = false);

} // namespace reauth
