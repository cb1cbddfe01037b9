/** Balance methods: which experts the tokens of a MoE layer are sent to, instead of the router's choice. */
package layerwise.model.balance;
