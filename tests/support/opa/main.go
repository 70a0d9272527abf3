// OPA for the tests: its own server, and its own compiler and signer of bundles, without the parts of the command line that
// take most of the time to build. Usage:
//
//	opa serve ADDRESS FILE...                    the REST API of OPA over these policies; PUT /v1/policies changes them
//	opa build OUT ALGORITHM KEY-FILE FOLDER      a bundle; signed where ALGORITHM is not "none"
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/plugins"
	"github.com/open-policy-agent/opa/v1/server"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func serve(ctx context.Context, address string, files []string) error {
	store := inmem.New()
	loaded, err := loader.NewFileLoader().All(files)
	if err != nil {
		return err
	}
	err = storage.Txn(ctx, store, storage.WriteParams, func(txn storage.Transaction) error {
		for name, module := range loaded.Modules {
			if err := store.UpsertPolicy(ctx, txn, name, module.Raw); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	manager, err := plugins.New([]byte("{}"), "sallyport-tests", store)
	if err != nil {
		return err
	}
	if err := manager.Start(ctx); err != nil {
		return err
	}
	made, err := server.New().WithAddresses([]string{address}).WithStore(store).WithManager(manager).Init(ctx)
	if err != nil {
		return err
	}
	loops, err := made.Listeners()
	if err != nil {
		return err
	}
	ended := make(chan error)
	for _, loop := range loops {
		go func() { ended <- loop() }()
	}
	return <-ended
}

func build(ctx context.Context, out, algorithm, key, folder string) error {
	var archive bytes.Buffer
	compiler := compile.New().WithPaths(folder).WithAsBundle(true).WithOutput(&archive).WithRevision("made by OPA")
	if algorithm != "none" {
		compiler = compiler.WithBundleSigningConfig(bundle.NewSigningConfig(key, algorithm, ""))
	}
	if err := compiler.Build(ctx); err != nil {
		return err
	}
	return os.WriteFile(out, archive.Bytes(), 0o644)
}

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) >= 2 && args[0] == "serve":
		err = serve(context.Background(), args[1], args[2:])
	case len(args) == 5 && args[0] == "build":
		err = build(context.Background(), args[1], args[2], args[3], args[4])
	default:
		err = fmt.Errorf("usage: opa serve ADDRESS FILE... | opa build OUT ALGORITHM KEY-FILE FOLDER")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "opa:", err)
		os.Exit(1)
	}
}
