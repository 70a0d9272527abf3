// HashiCorp Vault for the tests: its own core, HTTP API, transit and KV version 2 engines, without the command line, whose
// other engines take most of the time to build. In memory. It initialises and unseals itself, says so in one line of JSON,
// and ends with its standard input. Usage:
//
//	vault ADDRESS [CERTIFICATE KEY]
//	{"root_token":"hvs....","unseal_key":"..."}
package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/logical/transit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// No engine but those of LogicalBackends.
type noPlugins struct{}

func (noPlugins) Contains(string, consts.PluginType) bool { return false }
func (noPlugins) Get(string, consts.PluginType) (func() (interface{}, error), bool) {
	return nil, false
}
func (noPlugins) Keys(consts.PluginType) []string { return nil }
func (noPlugins) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}
func (noPlugins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

type made struct {
	RootToken string `json:"root_token"`
	UnsealKey string `json:"unseal_key"`
}

func newCore(logger hclog.Logger) (*vault.Core, error) {
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical:        storage,
		StorageType:     "inmem",
		Logger:          logger,
		DisableMlock:    true,
		BuiltinRegistry: noPlugins{},
		LogicalBackends: map[string]logical.Factory{"kv": kv.VersionedKVFactory, "transit": transit.Factory},
	})
}

func unsealed(ctx context.Context, core *vault.Core) (made, error) {
	one := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}
	result, err := core.Initialize(ctx, &vault.InitParams{BarrierConfig: one, RecoveryConfig: nil})
	if err != nil {
		return made{}, err
	}
	key := result.SecretShares[0]
	if open, err := core.Unseal(vault.TestKeyCopy(key)); err != nil || !open {
		return made{}, fmt.Errorf("not unsealed: %v", err)
	}
	for core.Sealed() {
		time.Sleep(10 * time.Millisecond)
	}
	return made{result.RootToken, base64.StdEncoding.EncodeToString(key)}, nil
}

func listen(args []string) (net.Listener, error) {
	plain, err := net.Listen("tcp", args[0])
	if err != nil || len(args) == 1 {
		return plain, err
	}
	pair, err := tls.LoadX509KeyPair(args[1], args[2])
	if err != nil {
		return nil, err
	}
	return tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{pair}}), nil
}

func serve(args []string) error {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	core, err := newCore(logger)
	if err != nil {
		return err
	}
	said, err := unsealed(context.Background(), core)
	if err != nil {
		return err
	}
	listener, err := listen(args)
	if err != nil {
		return err
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core: core, ListenerConfig: &configutil.Listener{}})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		return err
	}
	return http.Serve(listener, handler)
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: vault ADDRESS [CERTIFICATE KEY]")
		os.Exit(2)
	}
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
